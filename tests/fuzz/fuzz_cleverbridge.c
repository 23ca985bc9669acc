/* The body of a Cleverbridge callback. */
#include "fuzz/fuzz_vendor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_vendor("cleverbridge", data, size);
}
