// ADD of two tensors of one shape, for the file that includes lanes_sse41.h or lanes_avx2.h first.

#ifndef HEDGE_KERNELS_X64_ADD_H
#define HEDGE_KERNELS_X64_ADD_H

enum { STEP = 2 * LANES };

struct operand {
    vec zero, sign; // sign: 0, or -1: negated
    struct scale scale;
};

struct addition {
    struct operand a, b;
    struct scale scale;
    struct limits limits;
};

INLINE struct operand operand_of(uint32_t multiplier, int32_t shift, int32_t zero, uint32_t negate) {
    struct operand o = {
        vec_set(zero),
        vec_set(negate ? -1 : 0),
        scale_of(vec_set((int32_t)multiplier), vec_set(shift)),
    };
    return o;
}

INLINE vec scaled(vec x, const struct operand *o) {
    x = vec_requantize(vec_left_20(vec_sub(x, o->zero)), &o->scale);
    return vec_negate(x, o->sign); // after rounding: halves go away from zero
}

INLINE void add_step(const struct addition *s, const int8_t *a, const int8_t *b, int8_t *out) {
    vec a_low, a_high, b_low, b_high;
    load_2(a, &a_low, &a_high);
    load_2(b, &b_low, &b_high);
    vec low = vec_add(scaled(a_low, &s->a), scaled(b_low, &s->b));
    vec high = vec_add(scaled(a_high, &s->a), scaled(b_high, &s->b));
    store_2(out, vec_requantize(low, &s->scale), vec_requantize(high, &s->scale), &s->limits);
}

INLINE void add(const struct hg_run *run, const uint32_t *record) {
    uint32_t flags = hg_flags(record);
    struct addition s = {
        operand_of(record[7], hg_i8(record[10], 0), hg_i8(record[11], 0), flags & HG_FLAG_NEGATE_A),
        operand_of(record[8], hg_i8(record[10], 1), hg_i8(record[11], 1), flags & HG_FLAG_NEGATE_B),
        scale_of(vec_set((int32_t)record[9]), vec_set(hg_i8(record[10], 2))),
        limits_of(hg_i8(record[11], 2), hg_i8(record[12], 0), hg_i8(record[12], 1)),
    };
    const int8_t *a = hg_in(run, record), *b = run->arena + record[3];
    if (flags & HG_FLAG_CONSTANT) {
        b = (const int8_t *)run->data + record[3];
    }
    int8_t *out = hg_out(run, record), rest[3][STEP] = {{0}, {0}, {0}};
    int32_t left = (int32_t)record[4];
    for (; left >= STEP; left -= STEP, a += STEP, b += STEP, out += STEP) {
        add_step(&s, a, b, out);
    }
    copy_few(rest[0], a, left);
    copy_few(rest[1], b, left);
    add_step(&s, rest[0], rest[1], rest[2]);
    copy_few(out, rest[2], left);
}

#endif
