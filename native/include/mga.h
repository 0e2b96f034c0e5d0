/* The whole API of the C core. What stands between the two marks is read verbatim by cffi. */
#ifndef MGA_H
#define MGA_H

#include <stddef.h>
#include <stdint.h>

/* cffi: begin */
int32_t mga_abi_version(void);
/* cffi: end */

#endif
