#include "mga.h"

int32_t mga_abi_version(void)
{
    return 1;
}
