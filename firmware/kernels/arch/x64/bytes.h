// Loads and stores of few bytes, exact: nothing beyond them is touched.
#ifndef HEDGE_KERNELS_X64_BYTES_H
#define HEDGE_KERNELS_X64_BYTES_H

#include <immintrin.h>
#include <stdint.h>

#define INLINE static inline __attribute__((always_inline))

INLINE __m128i load_16(const void *at) {
    return _mm_loadu_si128((const __m128i *)at);
}

INLINE __m128i load_8(const void *at) {
    return _mm_loadl_epi64((const __m128i *)at);
}

INLINE __m128i load_4(const void *at) {
    int32_t value;
    __builtin_memcpy(&value, at, 4);
    return _mm_cvtsi32_si128(value);
}

// count < 16 bytes.
INLINE void copy_few(int8_t *to, const int8_t *from, int32_t count) {
    if (count & 8) {
        __builtin_memcpy(to, from, 8);
        to += 8;
        from += 8;
    }
    if (count & 4) {
        __builtin_memcpy(to, from, 4);
        to += 4;
        from += 4;
    }
    if (count & 2) {
        __builtin_memcpy(to, from, 2);
        to += 2;
        from += 2;
    }
    if (count & 1) {
        *to = *from;
    }
}

#endif
