// DEPTHWISE, pixel by pixel. A pixel that sees past a border is gathered into the scratch.

#include "depthwise_gather.h"

static struct cells cells_of(const struct hg_window *w, int32_t top, int32_t left) {
    int32_t bottom = top + (w->kernel_h - 1) * w->dilation_h;
    int32_t right = left + (w->kernel_w - 1) * w->dilation_w;
    if (top < 0 || left < 0 || bottom >= w->in_h || right >= w->in_w) {
        return gathered(w, top, left);
    }
    struct cells cells = {
        w->in + (top * w->in_w + left) * w->in_c,
        w->dilation_h * w->in_w * w->in_c,
        w->dilation_w * w->in_c,
    };
    return cells;
}

// Sums of `lanes` channels from c on, at most four; lanes is a constant where this is inlined.
static inline void sum_channels(
    int32_t *acc, const struct hg_window *w, const struct cells *cells, int32_t c,
    const int32_t lanes) {
    const int8_t *weight = (const int8_t *)w->weights + c;
    const int8_t *row = cells->first + c;
    int32_t a0 = 0, a1 = 0, a2 = 0, a3 = 0;
    for (int32_t i = 0; i < w->kernel_h; i++, row += cells->pitch) {
        const int8_t *cell = row;
        for (int32_t j = w->kernel_w; j > 0; j--, cell += cells->step, weight += w->in_c) {
            a0 += (cell[0] + 128) * weight[0];
            if (lanes == 4) {
                a1 += (cell[1] + 128) * weight[1];
                a2 += (cell[2] + 128) * weight[2];
                a3 += (cell[3] + 128) * weight[3];
            }
        }
    }
    acc[0] = a0;
    acc[1] = a1;
    acc[2] = a2;
    acc[3] = a3;
}

static void write_pixel(const struct hg_window *w, const struct cells *cells, int8_t *out) {
    int32_t acc[4];
    for (int32_t c = 0; c < w->out_c;) {
        int32_t lanes = w->out_c - c >= 4 ? 4 : 1;
        if (lanes == 4) {
            sum_channels(acc, w, cells, c, 4);
        } else {
            sum_channels(acc, w, cells, c, 1);
        }
        for (int32_t k = 0; k < lanes; k++, c++) {
            struct hg_channel channel = hg_channel_read(w, c);
            out[c] = hg_output(w, &channel, channel.bias + acc[k]);
        }
    }
}

void hg_depthwise(
    const struct hg_run *run, const uint32_t *record, int32_t row_first, int32_t row_last) {
    struct hg_window w;
    hg_window_read(&w, run, record);
    int8_t *out = w.out + row_first * w.out_w * w.out_c;
    for (int32_t row = row_first; row < row_last; row++) {
        for (int32_t col = 0; col < w.out_w; col++) {
            struct cells cells = cells_of(
                &w, row * w.stride_h - w.pad_top, col * w.stride_w - w.pad_left);
            write_pixel(&w, &cells, out);
            out += w.out_c;
        }
    }
}
