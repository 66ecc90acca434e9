// Requantize of the TFLM reference kernels: double rounding, exact in every bit.
//
// Source: gemmlowp fixedpoint.h, tensorflow/lite/kernels/internal/common.cc; written out in
// host_tools/hedgerow/convert/arithmetic.py.
#ifndef HEDGE_KERNELS_REQUANTIZE_H
#define HEDGE_KERNELS_REQUANTIZE_H

#include <stdint.h>

#if defined(__ARM_ARCH_6M__) && !defined(HG_SHORT_MULTIPLY)
#define HG_SHORT_MULTIPLY 1 // Cortex-M0+: 32 x 32 -> 32 bits is all there is
#endif

#if HG_SMALL
#define HG_EACH // once, in requantize.c
#pragma GCC visibility push(hidden)
int32_t hg_srdhm(int32_t a, int32_t b);
int32_t hg_divide_by_pot(int32_t x, int32_t right);
#pragma GCC visibility pop
#else
#define HG_EACH static inline
#endif

#if !HG_SMALL || HG_REQUANTIZE_C

// floor((a * b + 2**30) / 2**31), SaturatingRoundingDoublingHighMul; not both -2**31.
HG_EACH int32_t hg_srdhm(int32_t a, int32_t b) {
#if HG_SHORT_MULTIPLY
    int32_t a_high = a >> 16, b_high = b >> 16;
    uint32_t a_low = (uint16_t)a, b_low = (uint16_t)b;
    // No sum leaves int32: each is at most 65535 * 32768 in size.
    int32_t middle = a_high * (int32_t)b_low + (int32_t)(a_low * b_low >> 16);
    int32_t low = (int32_t)a_low * b_high + (int32_t)(uint16_t)middle;
    uint32_t high = (uint32_t)(a_high * b_high + (middle >> 16));
    return (int32_t)(high * 2 + (uint32_t)((low + 0x4000) >> 15));
#else
    return (int32_t)(((int64_t)a * b + (1 << 30)) >> 31);
#endif
}

// x / 2**right, halves away from zero (RoundingDivideByPOT); right 0 .. 31.
HG_EACH int32_t hg_divide_by_pot(int32_t x, int32_t right) {
    if (right == 0) {
        return x;
    }
    // No overflow: |x| < 2**31 - 1 for what hg_srdhm gives.
    return (((x + (x >> 31)) >> (right - 1)) + 1) >> 1;
}

#endif

// acc << left must fit int32; shift = left - right as in the file.
static inline int32_t hg_requantize(int32_t acc, int32_t multiplier, int32_t shift) {
    if (shift > 0) {
        return hg_srdhm((int32_t)((uint32_t)acc << shift), multiplier);
    }
    return hg_divide_by_pot(hg_srdhm(acc, multiplier), -shift);
}

#endif
