// COPY and FILL move bytes; MEAN sums along one of three axes.

#include "record.h"
#include "requantize.h"

#if !HG_SMALL

// Four nested loops with a stride each, in bytes.
void hg_copy(const struct hg_run *run, const uint32_t *record) {
    const int8_t *from = hg_flags(record) & HG_FLAG_CONSTANT
        ? (const int8_t *)run->data + record[1]
        : hg_in(run, record);
    int8_t *to = hg_out(run, record);
    const int32_t *counts = (const int32_t *)record + 3;
    const int32_t *source = counts + 4, *target = counts + 8;
    for (int32_t i = 0; i < counts[0]; i++) {
        for (int32_t j = 0; j < counts[1]; j++) {
            for (int32_t k = 0; k < counts[2]; k++) {
                // Places, not pointers: a pointer may not point before its array, even unused.
                int32_t in = i * source[0] + j * source[1] + k * source[2];
                int32_t out = i * target[0] + j * target[1] + k * target[2];
                for (int32_t left = counts[3]; left > 0; left--) {
                    to[out] = from[in];
                    in += source[3];
                    out += target[3];
                }
            }
        }
    }
}

void hg_fill(const struct hg_run *run, const uint32_t *record) {
    int8_t *to = hg_out(run, record);
    int8_t value = (int8_t)hg_i8(record[4], 0);
    for (int32_t left = (int32_t)record[3]; left > 0; left--) {
        *to++ = value;
    }
}

// in: (outer, n, inner) int8 to (outer, inner); the multiplier has the division by n inside.
void hg_mean(const struct hg_run *run, const uint32_t *record) {
    const int8_t *in = hg_in(run, record);
    int8_t *out = hg_out(run, record);
    int32_t n = (int32_t)record[4], inner = (int32_t)record[5];
    int32_t multiplier = (int32_t)record[6], total_zero = (int32_t)record[7];
    int32_t shift = hg_i8(record[8], 0), zero_point = hg_i8(record[8], 1);
    for (int32_t outer = (int32_t)record[3]; outer > 0; outer--, in += n * inner) {
        for (int32_t i = 0; i < inner; i++) {
            int32_t sum = -total_zero;
            for (int32_t k = 0, at = i; k < n; k++, at += inner) {
                sum += in[at];
            }
            int32_t value = zero_point + hg_requantize(sum, multiplier, shift);
            *out++ = (int8_t)hg_clamp(value, -128, 127);
        }
    }
}

#endif
