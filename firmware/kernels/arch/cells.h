// The cells that a DEPTHWISE pixel sums.
#ifndef HEDGE_KERNELS_CELLS_H
#define HEDGE_KERNELS_CELLS_H

#include "../window.h"

// Of the first channel that is not done: the first cell and its weight, rows and columns of cells,
// the way from cell to cell, and from the end of a row to the next. kernels_m0.S has the order.
struct cells {
    const uint8_t *weights;
    const int8_t *x;
    int32_t rows, cols;
    int32_t x_step, x_skip, w_step, w_skip;
};

// One channel.
static inline int32_t hg_sum_cells(const struct cells *cells) {
    const int8_t *x = cells->x, *weight = (const int8_t *)cells->weights;
    int32_t acc = 0;
    for (int32_t i = 0; i < cells->rows; i++) {
        for (int32_t j = 0; j < cells->cols; j++) {
            acc += (*x + 128) * *weight;
            x += cells->x_step;
            weight += cells->w_step;
        }
        x += cells->x_skip;
        weight += cells->w_skip;
    }
    return acc;
}

#endif
