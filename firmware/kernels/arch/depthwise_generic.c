// DEPTHWISE for any processor: four channels at a time, with the DSP instructions where they are.

#include "depthwise_cells.h"

#if __ARM_FEATURE_DSP

static inline uint32_t word_at(const void *place) {
    uint32_t word;
    __builtin_memcpy(&word, place, 4); // Cortex-M4 loads a word from anywhere
    return word;
}

// acc + low half of a * low half of b (SMLABB); of both high halves (SMLATT).
static inline int32_t add_low(int32_t acc, uint32_t a, uint32_t b) {
    __asm("smlabb %0, %1, %2, %0" : "+r"(acc) : "r"(a), "r"(b));
    return acc;
}

static inline int32_t add_high(int32_t acc, uint32_t a, uint32_t b) {
    __asm("smlatt %0, %1, %2, %0" : "+r"(acc) : "r"(a), "r"(b));
    return acc;
}

static inline void add_cell(int32_t *acc, const int8_t *x, const int8_t *weight) {
    uint32_t cell = word_at(x) ^ 0x80808080u, w = word_at(weight), x02, x13, w02, w13;
    __asm("uxtb16 %0, %1" : "=r"(x02) : "r"(cell));
    __asm("uxtb16 %0, %1, ror #8" : "=r"(x13) : "r"(cell));
    __asm("sxtb16 %0, %1" : "=r"(w02) : "r"(w));
    __asm("sxtb16 %0, %1, ror #8" : "=r"(w13) : "r"(w));
    acc[0] = add_low(acc[0], x02, w02);
    acc[1] = add_low(acc[1], x13, w13);
    acc[2] = add_high(acc[2], x02, w02);
    acc[3] = add_high(acc[3], x13, w13);
}

#else

static inline void add_cell(int32_t *acc, const int8_t *x, const int8_t *weight) {
    acc[0] += (x[0] + 128) * weight[0];
    acc[1] += (x[1] + 128) * weight[1];
    acc[2] += (x[2] + 128) * weight[2];
    acc[3] += (x[3] + 128) * weight[3];
}

#endif

static inline void sum_four(int32_t *out, const struct cells *cells) {
    const int8_t *x = cells->x, *weight = (const int8_t *)cells->weights;
    int32_t acc[4] = {0, 0, 0, 0};
    int32_t x_step = cells->x_step, w_step = cells->w_step;
    for (int32_t i = cells->rows; i > 0; i--) {
        for (int32_t j = cells->cols; j > 0; j--) {
            add_cell(acc, x, weight);
            x += x_step;
            weight += w_step;
        }
        x += cells->x_skip;
        weight += cells->w_skip;
    }
    out[0] = acc[0];
    out[1] = acc[1];
    out[2] = acc[2];
    out[3] = acc[3];
}

static inline void write_channel(
    const struct hg_window *w, const uint8_t *block, int32_t acc, int32_t place, int8_t *out) {
    struct hg_channel channel = hg_channel_of(w, block, place);
    out[place] = hg_output(w, &channel, acc + channel.bias);
}

static void write_pixel(const struct hg_window *w, struct cells *cells, int8_t *out) {
    int32_t acc[4], left = w->out_c;
    const uint8_t *block = w->channels;
    int32_t block_bytes = (int32_t)(hg_block(w, 4) - block);
    for (; left >= 4; left -= 4, block += block_bytes, out += 4) {
        sum_four(acc, cells);
        cells->x += 4;
        cells->weights += 4;
        write_channel(w, block, acc[0], 0, out);
        write_channel(w, block, acc[1], 1, out);
        write_channel(w, block, acc[2], 2, out);
        write_channel(w, block, acc[3], 3, out);
    }
    for (int32_t place = 0; place < left; place++, cells->x++, cells->weights++) {
        write_channel(w, block, hg_sum_cells(cells), place, out);
    }
}

void hg_depthwise(
    const struct hg_run *run, const uint32_t *record, int32_t row_first, int32_t row_last) {
    struct hg_window w;
    struct cells cells;
    struct walk walk;
    hg_window_read(&w, run, record);
    int8_t *out = w.out + row_first * w.out_w * w.out_c;
    for (int32_t row = row_first; row < row_last; row++) {
        start_row(&walk, &w, row);
        for (int32_t col = 0; col < w.out_w; col++, out += w.out_c) {
            next_pixel(&walk, &w, &cells);
            write_pixel(&w, &cells, out);
        }
    }
}
