// SOFTMAX of int8 rows in gemmlowp's fixed point, as TFLM computes it.
//
// Sources: gemmlowp fixedpoint.h; tensorflow/lite/kernels/internal/reference/softmax.h; the
// formulas are in ../hedge/infer/SPEC.md.

#include "record.h"
#include "requantize.h"

// exp(a) in Q0.31 of a in Q0.31, -1/4 <= a < 0.
static int32_t exp_small(int32_t a) {
    int32_t x = a + (1 << 28);
    int32_t x2 = hg_srdhm(x, x);
    int32_t x3 = hg_srdhm(x2, x);
    int32_t x4_4 = hg_divide_by_pot(hg_srdhm(x2, x2), 2);
    int32_t tail = hg_divide_by_pot(hg_srdhm(x4_4 + x3, 715827883) + x2, 1);
    return 1895147668 + hg_srdhm(1895147668, x + tail);
}

// result times exp(-2**k) where bit k + 26 of rest is set.
static int32_t barrel(int32_t result, int32_t rest, int bit, int32_t factor) {
    return rest >> bit & 1 ? hg_srdhm(result, factor) : result;
}

// exp(a) in Q0.31 of a <= 0 in Q5.26.
static int32_t exp_on_negative(int32_t a) {
    if (a == 0) {
        return INT32_MAX;
    }
    int32_t reduced = (a & ((1 << 24) - 1)) - (1 << 24);
    int32_t result = exp_small(reduced * 32);
    int32_t rest = reduced - a;
    result = barrel(result, rest, 24, 1672461947);
    result = barrel(result, rest, 25, 1302514674);
    result = barrel(result, rest, 26, 790015084);
    result = barrel(result, rest, 27, 290630308);
    result = barrel(result, rest, 28, 39332535);
    result = barrel(result, rest, 29, 720401);
    return barrel(result, rest, 30, 242);
}

static int32_t leading_zeros(uint32_t value) {
    int32_t count = 0;
    for (; !(value >> 31); value <<= 1) {
        count++;
    }
    return count;
}

struct softmax {
    int32_t multiplier, shift, radius;
};

// exp of an element that lies `below` the row's maximum.
static int32_t power(const struct softmax *s, int32_t below) {
    if (below > s->radius) {
        return 0;
    }
    return exp_on_negative(hg_srdhm(-(int32_t)((uint32_t)below << s->shift), s->multiplier));
}

// 2 / (1 + x) in Q2.29 by three Newton steps; half is (1 + x) / 2 in Q0.31.
static int32_t reciprocal(int32_t half) {
    int32_t y = 1515870810 + hg_srdhm(half, -1010580540);
    for (int step = 0; step < 3; step++) {
        int32_t error = (1 << 29) - hg_srdhm(half, y);
        y += hg_srdhm(y, error) * 4;
    }
    return y;
}

static void softmax_row(
    const struct softmax *s, const int8_t *in, int8_t *out, int32_t depth, int32_t is_wide) {
    int32_t maximum = -128, total = 0;
    for (int32_t i = 0; i < depth; i++) {
        maximum = in[i] > maximum ? in[i] : maximum;
    }
    for (int32_t i = 0; i < depth; i++) {
        total += hg_divide_by_pot(power(s, maximum - in[i]), 12);
    }
    int32_t zeros = leading_zeros((uint32_t)total);
    int32_t y = reciprocal((int32_t)((uint32_t)total << (zeros - 1)));
    int32_t scale = y >= 1 << 30 ? INT32_MAX : y * 2;
    for (int32_t i = 0; i < depth; i++) {
        int32_t product = hg_srdhm(scale, power(s, maximum - in[i]));
        int32_t value = hg_divide_by_pot(product, (is_wide ? 27 : 35) - zeros);
        if (is_wide) {
            ((int16_t *)(void *)out)[i] = (int16_t)((value > 65535 ? 65535 : value) - 32768);
        } else {
            out[i] = (int8_t)((value > 255 ? 255 : value) - 128);
        }
    }
}

void hg_softmax(const struct hg_run *run, const uint32_t *record) {
    struct softmax s = {(int32_t)record[5], hg_i8(record[6], 0), (int32_t)hg_high(record[6])};
    int32_t is_wide = hg_flags(record) & HG_FLAG_WIDE_OUT;
    int32_t depth = (int32_t)record[4];
    const int8_t *in = hg_in(run, record);
    int8_t *out = hg_out(run, record);
    for (int32_t rows = (int32_t)record[3]; rows > 0; rows--) {
        softmax_row(&s, in, out, depth, is_wide);
        in += depth;
        out += is_wide ? depth * 2 : depth;
    }
}
