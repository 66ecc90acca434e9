// POOL: maximum or mean of the cells of a window that lie inside the image.

#include "record.h"

// sum / count, halves away from zero. |mean| <= 128, so eight quotient bits are enough; a
// division routine of libgcc does not link into a native module on Cortex-M0+.
static int32_t rounded_mean(int32_t sum, int32_t count) {
    int32_t rest = (sum < 0 ? -sum : sum) + (count >> 1);
    int32_t quotient = 0;
    for (int bit = 7; bit >= 0; bit--) {
        if (rest >= count << bit) {
            rest -= count << bit;
            quotient += 1 << bit;
        }
    }
    return sum < 0 ? -quotient : quotient;
}

// Cells of a window on one axis: where it starts in the image and how many there are.
static int32_t inside(int32_t *start, int32_t reach, int32_t side) {
    int32_t end = *start + reach;
    *start = *start < 0 ? 0 : *start;
    return (end > side ? side : end) - *start;
}

static int32_t maximum(const int8_t *cell, int32_t rows, int32_t cols, int32_t pitch, int32_t step) {
    int32_t result = -128;
    for (; rows > 0; rows--, cell += pitch) {
        const int8_t *at = cell;
        for (int32_t i = 0; i < cols; i++, at += step) {
            result = *at > result ? *at : result;
        }
    }
    return result;
}

static int32_t total(const int8_t *cell, int32_t rows, int32_t cols, int32_t pitch, int32_t step) {
    int32_t result = 0;
    for (; rows > 0; rows--, cell += pitch) {
        const int8_t *at = cell;
        for (int32_t i = 0; i < cols; i++, at += step) {
            result += *at;
        }
    }
    return result;
}

void hg_pool(
    const struct hg_run *run, const uint32_t *record, int32_t row_first, int32_t row_last) {
    int32_t in_h = (int32_t)hg_low(record[3]), in_w = (int32_t)hg_high(record[3]);
    int32_t channels = (int32_t)hg_low(record[4]), out_w = (int32_t)hg_high(record[5]);
    int32_t act_min = hg_i8(record[8], 1), act_max = hg_i8(record[8], 2);
    int32_t is_maximum = hg_flags(record) & HG_FLAG_MAXIMUM;
    int8_t *out = hg_out(run, record) + row_first * out_w * channels;
    for (int32_t row = row_first; row < row_last; row++) {
        int32_t top = row * (int32_t)hg_u8(record[6], 2) - (int32_t)hg_u8(record[7], 2);
        int32_t rows = inside(&top, (int32_t)hg_u8(record[6], 0), in_h);
        for (int32_t col = 0; col < out_w; col++) {
            int32_t left = col * (int32_t)hg_u8(record[6], 3) - (int32_t)hg_u8(record[7], 3);
            int32_t cols = inside(&left, (int32_t)hg_u8(record[6], 1), in_w);
            const int8_t *cell = hg_in(run, record) + (top * in_w + left) * channels;
            for (int32_t c = 0; c < channels; c++, cell++) {
                int32_t value = is_maximum
                    ? maximum(cell, rows, cols, in_w * channels, channels)
                    : rounded_mean(
                          total(cell, rows, cols, in_w * channels, channels), rows * cols);
                *out++ = (int8_t)hg_clamp(value, act_min, act_max);
            }
        }
    }
}
