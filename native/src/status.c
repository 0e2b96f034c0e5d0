#include "mga.h"

int32_t mga_abi_version(void)
{
    return MGA_ABI_VERSION;
}

const char *mga_status_text(int64_t status)
{
    if (status >= 0)
        return "no error";
    switch (status) {
    case MGA_ERR_ARG_NULL: return "a pointer is null";
    case MGA_ERR_ARG_FORMAT: return "unsupported rows, columns, samples or bits";
    case MGA_ERR_ARG_SRC_SIZE: return "the source is not as large as its format says";
    case MGA_ERR_ARG_DST_SIZE: return "the destination is too small";
    case MGA_ERR_ARG_WORK_SIZE: return "the working memory is too small";
    case MGA_ERR_ARG_RANGE: return "an argument is outside of its limits";
    case MGA_ERR_ARG_SLOT: return "the slot was not taken";
    case MGA_ERR_ARG_STATE: return "the source was already started";
    case MGA_ERR_DATA_HEADER: return "the RLE header does not describe this frame";
    case MGA_ERR_DATA_TRUNCATED: return "the compressed frame ends too early";
    case MGA_ERR_DATA_OVERRUN: return "the compressed frame holds more than its plane";
    case MGA_ERR_DATA_MARKER: return "a marker segment of the compressed frame is damaged or out of place";
    case MGA_ERR_DATA_GEOMETRY: return "the compressed frame has other rows, columns, samples or bits than described";
    case MGA_ERR_DATA_FEATURE: return "the compressed frame needs a feature that DICOM images do not have";
    case MGA_ERR_DATA_CODE: return "the compressed frame holds bits that no encoder writes";
    case MGA_ERR_DATA_SAMPLE: return "a sample needs more than its bits stored, or would with this loss";
    case MGA_ERR_DATA_BESIDE: return "the compressed frame has bytes beside the packets of its planes";
    case MGA_ERR_DATA_MARK: return "the picture carries no readable mark";
    case MGA_ERR_DEV_MEMORY: return "not enough memory for the source";
    case MGA_ERR_DEV_EVENT: return "no file descriptor for the source";
    case MGA_ERR_DEV_THREAD: return "no thread for the source";
    case MGA_ERR_DEV_READ: return "reading from the file or device failed";
    case MGA_ERR_DEV_SHORT: return "the file ended inside a frame";
    case MGA_ERR_DEV_SYNC: return "the file system could not be synced";
    case MGA_ERR_DEV_ABSENT: return "there is no such device, or nobody answers there";
    case MGA_ERR_DEV_BUSY: return "somebody else uses the device";
    case MGA_ERR_DEV_REFUSED: return "the device cannot do what was asked for";
    case MGA_ERR_DEV_GONE: return "the device vanished while it was in use";
    case MGA_ERR_DEV_GEOMETRY: return "the device now sends pictures of another size or kind";
    case MGA_ERR_DEV_PROTOCOL: return "the device sent what its protocol does not allow";
    case MGA_ERR_DEV_LIBRARY: return "the library that speaks to the device is not here";
    default: return "unknown status";
    }
}
