// CONV for processors with the DSP instructions (Cortex-M4, M7, M33): SMLAD sums two taps at once.
//
// A weight word c0t0 c1t0 c0t1 c1t1 gives by UXTB16 c0t0 | c0t1 << 16, and rotated by a byte
// c1t0 | c1t1 << 16; the scratch holds two taps of a pixel the same way. 15 instructions for 16
// multiply-adds. w' and x' are below 256, so no sum of two products overflows.

#include "conv_pair_slots.h"

#pragma GCC visibility push(hidden)
// In kernels_dsp.S. acc[0..3]: four channels of pixel 0; acc[4..7]: of pixel 1.
void hg_dsp_two_pixels(int32_t *acc, const uint8_t *w, const uint16_t *x, int32_t even_taps);
// acc[0..3]: four channels of one pixel; taps a multiple of 4.
void hg_dsp_one_pixel(int32_t *acc, const uint8_t *w, const int8_t *x, int32_t taps);
#pragma GCC visibility pop

#define multiply_pair hg_dsp_two_pixels

static inline void multiply_one(int32_t *acc, const uint8_t *w, const int8_t *x, int32_t taps) {
    int32_t whole = taps & ~3;
    hg_dsp_one_pixel(acc, w, x, whole);
    add_taps(acc, w + 4 * whole, x, whole, taps);
}

#include "conv_blocks.h"
