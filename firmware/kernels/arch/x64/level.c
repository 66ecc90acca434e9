// What the processor can do.

#include <cpuid.h>

#include "levels.h"

enum {
    SAVES_AVX = 0x06, // XCR0: the system keeps the upper halves of registers
    SAVES_AVX512 = 0xe6,
};

static uint32_t saved_registers(uint32_t features) {
    uint32_t low = 0, high = 0;
    if (features & bit_OSXSAVE) {
        __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    }
    return low;
}

int32_t hg_level(void) {
    uint32_t a, b, c, d, features;
    if (!__get_cpuid(1, &a, &b, &features, &d) || !(features & bit_SSE4_1)) {
        return HG_LEVEL_SCALAR;
    }
    uint32_t saved = saved_registers(features);
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & bit_AVX2) ||
        (saved & SAVES_AVX) != SAVES_AVX) {
        return HG_LEVEL_SSE41;
    }
    int32_t has_vnni = (c & bit_AVX512VNNI) && (b & bit_AVX512VL) && (b & bit_AVX512BW);
    return has_vnni && (saved & SAVES_AVX512) == SAVES_AVX512 ? HG_LEVEL_VNNI : HG_LEVEL_AVX2;
}
