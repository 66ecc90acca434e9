// A DEPTHWISE pixel that sees past a border, gathered into the scratch.
#ifndef HEDGE_KERNELS_DEPTHWISE_GATHER_H
#define HEDGE_KERNELS_DEPTHWISE_GATHER_H

#include "../window.h"

// Cells of one pixel: rows of kernel_w cells; pitch from row to row, step from cell to cell.
struct cells {
    const int8_t *first;
    int32_t pitch, step;
};

static void copy(int8_t *to, const int8_t *from, int32_t fill, int32_t n) {
    for (int32_t i = 0; i < n; i++) {
        to[i] = (int8_t)(from ? from[i] : fill);
    }
}

static struct cells gathered(const struct hg_window *w, int32_t top, int32_t left) {
    struct cells cells = {w->scratch, w->kernel_w * w->in_c, w->in_c};
    int8_t *to = w->scratch;
    for (int32_t i = 0; i < w->kernel_h; i++) {
        int32_t row = top + i * w->dilation_h;
        for (int32_t j = 0; j < w->kernel_w; j++, to += w->in_c) {
            int32_t col = left + j * w->dilation_w;
            int32_t is_inside = (uint32_t)row < (uint32_t)w->in_h && (uint32_t)col < (uint32_t)w->in_w;
            copy(to, is_inside ? w->in + (row * w->in_w + col) * w->in_c : 0, w->fill, w->in_c);
        }
    }
    return cells;
}

#endif
