// ADD (and SUB), MUL, TABLE, REQUANTIZE: one output element from one place of each operand.

#include "record.h"
#include "requantize.h"

// Second operand of ADD and MUL: element (i // run) % count, without dividing.
struct operand {
    const int8_t *first;
    int32_t count, run;
    int32_t place, repeats;
};

static struct operand operand_of(const struct hg_run *run, const uint32_t *record) {
    const int8_t *first = hg_flags(record) & HG_FLAG_CONSTANT
        ? (const int8_t *)run->data + record[3]
        : run->arena + record[3];
    struct operand b = {first, (int32_t)record[5], (int32_t)record[6], 0, 0};
    return b;
}

static int32_t next_of(struct operand *b) {
    int32_t value = b->first[b->place];
    if (++b->repeats == b->run) {
        b->repeats = 0;
        b->place = b->place + 1 == b->count ? 0 : b->place + 1;
    }
    return value;
}

// requantize(x << 20), x of 9 bits, shift <= 0. The low 16 bits of x << 20 are zero, so SRDHM is
// floor((x * multiplier + 2**10) / 2**11), made of two short products.
static inline int32_t scaled(int32_t x, int32_t multiplier, int32_t shift) {
    int32_t low = (x * (multiplier & 0xffff) + 1024) >> 11;
    int32_t high = x * (multiplier >> 16) * 32;
    return hg_divide_by_pot(high + low, -shift);
}

void hg_add(const struct hg_run *run, const uint32_t *record) {
#if HG_X64
    if (hg_add_fast(run, record)) {
        return;
    }
#endif
    const int8_t *a = hg_in(run, record);
    int8_t *out = hg_out(run, record);
    struct operand b = operand_of(run, record);
    int32_t count = (int32_t)record[4];
    int32_t multiplier_a = (int32_t)record[7], multiplier_b = (int32_t)record[8];
    int32_t multiplier = (int32_t)record[9];
    int32_t shift_a = hg_i8(record[10], 0), shift_b = hg_i8(record[10], 1);
    int32_t shift = hg_i8(record[10], 2);
    int32_t zero_a = hg_i8(record[11], 0), zero_b = hg_i8(record[11], 1);
    int32_t zero_point = hg_i8(record[11], 2);
    int32_t act_min = hg_i8(record[12], 0), act_max = hg_i8(record[12], 1);
    // The halves of a tie go away from zero, so the sign must be taken after rounding.
    int32_t sign_a = hg_flags(record) & HG_FLAG_NEGATE_A ? -1 : 1;
    int32_t sign_b = hg_flags(record) & HG_FLAG_NEGATE_B ? -1 : 1;
    for (int32_t i = 0; i < count; i++) {
        int32_t sum = sign_a * scaled(a[i] - zero_a, multiplier_a, shift_a) +
            sign_b * scaled(next_of(&b) - zero_b, multiplier_b, shift_b);
        int32_t value = zero_point + hg_requantize(sum, multiplier, shift);
        out[i] = (int8_t)hg_clamp(value, act_min, act_max);
    }
}

#if !HG_SMALL

void hg_mul(const struct hg_run *run, const uint32_t *record) {
    const int8_t *a = hg_in(run, record);
    int8_t *out = hg_out(run, record);
    struct operand b = operand_of(run, record);
    int32_t count = (int32_t)record[4], multiplier = (int32_t)record[7];
    int32_t shift = hg_i8(record[8], 0);
    int32_t act_min = hg_i8(record[8], 1), act_max = hg_i8(record[8], 2);
    int32_t zero_a = hg_i8(record[9], 0), zero_b = hg_i8(record[9], 1);
    int32_t zero_point = hg_i8(record[9], 2);
    for (int32_t i = 0; i < count; i++) {
        int32_t product = (a[i] - zero_a) * (next_of(&b) - zero_b);
        int32_t value = zero_point + hg_requantize(product, multiplier, shift);
        out[i] = (int8_t)hg_clamp(value, act_min, act_max);
    }
}

void hg_table(const struct hg_run *run, const uint32_t *record) {
    const int8_t *in = hg_in(run, record);
    int8_t *out = hg_out(run, record);
    const int8_t *table = (const int8_t *)run->data + record[4] + 128;
    for (int32_t i = 0, count = (int32_t)record[3]; i < count; i++) {
        out[i] = table[in[i]];
    }
}

// Between element sizes: bits 0..3 of the flags are the bytes of an input element (1, 2), bits
// 4..7 those of an output element (1, 2, 4).
void hg_requantize_op(const struct hg_run *run, const uint32_t *record) {
    uint32_t in_bytes = hg_flags(record) & 15, out_bytes = hg_flags(record) >> 4 & 15;
    int32_t multiplier = (int32_t)record[4], shift = hg_i8(record[5], 0);
    int32_t zero_out = hg_i8(record[5], 1), zero_in = (int16_t)hg_high(record[5]);
    const int8_t *in = hg_in(run, record);
    int8_t *out = hg_out(run, record);
    int32_t high = (int32_t)(0x7fffffffu >> (32 - 8 * out_bytes));
    for (int32_t i = 0, count = (int32_t)record[3]; i < count; i++) {
        int32_t x = in_bytes == 1 ? in[i] : ((const int16_t *)(const void *)in)[i];
        int32_t value = zero_out + hg_requantize(x - zero_in, multiplier, shift);
        value = hg_clamp(value, -high - 1, high);
        if (out_bytes == 1) {
            out[i] = (int8_t)value;
        } else if (out_bytes == 2) {
            ((int16_t *)(void *)out)[i] = (int16_t)value;
        } else {
            ((int32_t *)(void *)out)[i] = value;
        }
    }
}

#endif
