// CONV for processors of which nothing is known: Cortex-M3, RISC-V and any other.

#include "conv_pair_slots.h"

static inline void multiply_pair(
    int32_t *acc, const uint8_t *w, const uint16_t *x, int32_t even_taps) {
    int32_t a0 = 0, a1 = 0, a2 = 0, a3 = 0, b0 = 0, b1 = 0, b2 = 0, b3 = 0;
    for (const uint16_t *end = x + 2 * even_taps; x < end; x += 4, w += 8) {
        int32_t xa = x[0], xb = x[2];
        a0 += w[0] * xa;
        b0 += w[0] * xb;
        a1 += w[1] * xa;
        b1 += w[1] * xb;
        a2 += w[4] * xa;
        b2 += w[4] * xb;
        a3 += w[5] * xa;
        b3 += w[5] * xb;
        xa = x[1];
        xb = x[3];
        a0 += w[2] * xa;
        b0 += w[2] * xb;
        a1 += w[3] * xa;
        b1 += w[3] * xb;
        a2 += w[6] * xa;
        b2 += w[6] * xb;
        a3 += w[7] * xa;
        b3 += w[7] * xb;
    }
    acc[0] = a0;
    acc[1] = a1;
    acc[2] = a2;
    acc[3] = a3;
    acc[4] = b0;
    acc[5] = b1;
    acc[6] = b2;
    acc[7] = b3;
}

static inline void multiply_one(int32_t *acc, const uint8_t *w, const int8_t *x, int32_t taps) {
    acc[0] = acc[1] = acc[2] = acc[3] = 0;
    add_taps(acc, w, x, 0, taps);
}

#include "conv_blocks.h"
