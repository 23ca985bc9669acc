/* The body of a ShareIt callback. */
#include "fuzz/fuzz_vendor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_vendor("shareit", data, size);
}
