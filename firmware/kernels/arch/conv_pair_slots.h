// How most processors want their taps, and the product of a pixel that is read in place.
#ifndef HEDGE_KERNELS_CONV_PAIR_SLOTS_H
#define HEDGE_KERNELS_CONV_PAIR_SLOTS_H

#include "../window.h"

// Two taps of pixel 0, two of pixel 1: a pair of taps is eight bytes, as in the weights.
#define HG_SLOT(tap, pixel) ((tap) / 2 * 4 + (pixel) * 2 + ((tap) & 1))

// Adds taps t .. taps - 1 of four channels of one pixel; t is even, w points to the weights of tap t.
static inline void add_taps(int32_t *acc, const uint8_t *w, const int8_t *x, int32_t t, int32_t taps) {
    int32_t a0 = acc[0], a1 = acc[1], a2 = acc[2], a3 = acc[3];
    for (; t + 1 < taps; t += 2, w += 8) {
        int32_t value = x[t] + 128, next = x[t + 1] + 128;
        a0 += w[0] * value;
        a1 += w[1] * value;
        a2 += w[4] * value;
        a3 += w[5] * value;
        a0 += w[2] * next;
        a1 += w[3] * next;
        a2 += w[6] * next;
        a3 += w[7] * next;
    }
    if (t < taps) {
        int32_t value = x[t] + 128;
        a0 += w[0] * value;
        a1 += w[1] * value;
        a2 += w[4] * value;
        a3 += w[5] * value;
    }
    acc[0] = a0;
    acc[1] = a1;
    acc[2] = a2;
    acc[3] = a3;
}

#endif
