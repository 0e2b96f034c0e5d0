/* Pixel formats by the codes of the GenICam Pixel Format Naming Convention: cameras spell the names in several ways. */
#include "gige.h"

typedef struct {
    uint32_t code;
    mga_way way;
    uint32_t what; /* mga_packing, mga_layout or mga_bayer_filters */
    uint32_t bits; /* stored */
} row;

static const row ROWS[] = {
    {0x01080001, MGA_WAY_SAMPLES, MGA_PACKING_8, 8},          /* Mono8 */
    {0x01100003, MGA_WAY_SAMPLES, MGA_PACKING_16_LITTLE, 10}, /* Mono10 */
    {0x01100005, MGA_WAY_SAMPLES, MGA_PACKING_16_LITTLE, 12}, /* Mono12 */
    {0x01100025, MGA_WAY_SAMPLES, MGA_PACKING_16_LITTLE, 14}, /* Mono14 */
    {0x01100007, MGA_WAY_SAMPLES, MGA_PACKING_16_LITTLE, 16}, /* Mono16 */
    {0x010a0046, MGA_WAY_SAMPLES, MGA_PACKING_DENSE, 10},     /* Mono10p */
    {0x010c0047, MGA_WAY_SAMPLES, MGA_PACKING_DENSE, 12},     /* Mono12p */
    {0x010c0004, MGA_WAY_SAMPLES, MGA_PACKING_GIGE, 10},      /* Mono10Packed */
    {0x010c0006, MGA_WAY_SAMPLES, MGA_PACKING_GIGE, 12},      /* Mono12Packed */
    {0x02180014, MGA_WAY_COLOUR, MGA_LAYOUT_RGB24, 8},        /* RGB8 */
    {0x02180015, MGA_WAY_COLOUR, MGA_LAYOUT_BGR24, 8},        /* BGR8 */
    {0x02200017, MGA_WAY_COLOUR, MGA_LAYOUT_BGRX32, 8},       /* BGRa8 */
    {0x01080008, MGA_WAY_BAYER, MGA_BAYER_GR, 8},             /* BayerGR8 */
    {0x01080009, MGA_WAY_BAYER, MGA_BAYER_RG, 8},             /* BayerRG8 */
    {0x0108000a, MGA_WAY_BAYER, MGA_BAYER_GB, 8},             /* BayerGB8 */
    {0x0108000b, MGA_WAY_BAYER, MGA_BAYER_BG, 8},             /* BayerBG8 */
};

int64_t mga_gige_pixels(uint32_t code, uint32_t rows, uint32_t columns, mga_device *device)
{
    const row *at = ROWS;
    while (at->code != code)
        if (++at == ROWS + sizeof ROWS / sizeof *ROWS)
            return MGA_ERR_DEV_REFUSED;
    device->pixels = (mga_pixels){.way = at->way};
    if (at->way == MGA_WAY_SAMPLES)
        device->pixels.samples = (mga_unpack_params){rows, columns, at->what, at->bits, 0};
    else if (at->way == MGA_WAY_COLOUR)
        device->pixels.colour = (mga_colour_params){rows, columns, at->what, MGA_SPACE_RGB, MGA_RESULT_RGB};
    else
        device->pixels.bayer = (mga_bayer_params){rows, columns, at->what, 0};
    device->agreed.format = (mga_format){.rows = rows,
                                         .columns = columns,
                                         .samples_per_pixel = at->way == MGA_WAY_SAMPLES ? 1 : 3,
                                         .bits_allocated = at->bits > 8 ? 16 : 8,
                                         .bits_stored = at->bits};
    return MGA_OK;
}

uint32_t mga_gige_stride(uint32_t code, uint32_t columns, int padding)
{
    uint32_t bits = code >> 16 & 0xff; /* of a pixel: the second byte of each code */
    return padding > 0 ? (columns * bits + 7) / 8 + (uint32_t)padding : 0;
}
