// Accumulators of up to eight pixels, for conv_*.c. The file that includes this has defined
//
//     element                        type of a tap of x'
//     multiply(acc, x, weights)      acc + the taps of one pixel from x on times weights

#ifndef HEDGE_KERNELS_X64_TILE_H
#define HEDGE_KERNELS_X64_TILE_H

enum { TILE = 8 };

// Names, not an array: gcc keeps these in registers.
struct tile {
    vec a, b, c, d, e, f, g, h;
};

INLINE struct tile tile_of(const vec *acc, const int pixels) {
    struct tile t = {acc[0], acc[0], acc[0], acc[0], acc[0], acc[0], acc[0], acc[0]};
    if (pixels > 1) {
        t.b = acc[1], t.c = acc[2], t.d = acc[3];
    }
    if (pixels > 4) {
        t.e = acc[4], t.f = acc[5], t.g = acc[6], t.h = acc[7];
    }
    return t;
}

INLINE void tile_store(vec *acc, const struct tile *t, const int pixels) {
    acc[0] = t->a;
    if (pixels > 1) {
        acc[1] = t->b, acc[2] = t->c, acc[3] = t->d;
    }
    if (pixels > 4) {
        acc[4] = t->e, acc[5] = t->f, acc[6] = t->g, acc[7] = t->h;
    }
}

// pixels: 1, 4 or 8, a constant. Places are three pointers and a pitch: eight pointers do not fit.
INLINE void tile_multiply(
    struct tile *t, const element *x, int64_t pitch, vec weights, const int pixels) {
    const element *third = x + 3 * pitch, *sixth = third + 3 * pitch;
    t->a = multiply(t->a, x, weights);
    if (pixels > 1) {
        t->b = multiply(t->b, x + pitch, weights);
        t->c = multiply(t->c, x + 2 * pitch, weights);
        t->d = multiply(t->d, third, weights);
    }
    if (pixels > 4) {
        t->e = multiply(t->e, third + pitch, weights);
        t->f = multiply(t->f, third + 2 * pitch, weights);
        t->g = multiply(t->g, sixth, weights);
        t->h = multiply(t->h, sixth + pitch, weights);
    }
}

#endif
