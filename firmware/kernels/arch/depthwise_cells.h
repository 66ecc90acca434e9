// DEPTHWISE, pixel by pixel: which cells of the image a pixel sums, and how its channels lie.
//
// What lies outside the image counts as x' = fill + 128, which is 0 after most activations: then a
// border pixel sums the cells inside; else it is gathered into the scratch.
#ifndef HEDGE_KERNELS_DEPTHWISE_CELLS_H
#define HEDGE_KERNELS_DEPTHWISE_CELLS_H

#include "cells.h"

static void copy(int8_t *to, const int8_t *from, int32_t fill, int32_t n) {
    for (int32_t i = 0; i < n; i++) {
        to[i] = (int8_t)(from ? from[i] : fill);
    }
}

// A pixel that sees past a border, whole, in the scratch.
static void gather(const struct hg_window *w, int32_t top, int32_t left) {
    int8_t *to = w->scratch;
    for (int32_t i = 0; i < w->kernel_h; i++) {
        int32_t row = top + i * w->dilation_h;
        for (int32_t j = 0; j < w->kernel_w; j++, to += w->in_c) {
            int32_t col = left + j * w->dilation_w;
            int32_t is_inside = (uint32_t)row < (uint32_t)w->in_h && (uint32_t)col < (uint32_t)w->in_w;
            copy(to, is_inside ? w->in + (row * w->in_w + col) * w->in_c : 0, w->fill, w->in_c);
        }
    }
}

// First and number of kernel rows (or columns) that lie inside: taps at start + i * dilation.
struct span {
    int32_t first, count;
};

static struct span inside(int32_t start, int32_t dilation, int32_t kernel, int32_t side) {
    struct span span = {0, 0};
    int32_t at = start;
    for (int32_t i = 0; i < kernel; i++, at += dilation) {
        if (at < 0) {
            span.first++;
        } else if (at < side) {
            span.count++;
        }
    }
    return span;
}

// Cells of the pixel whose window starts at row top, column left; rows: those inside.
static void look(
    struct cells *cells, const struct hg_window *w, int32_t top, int32_t left, struct span rows) {
    struct span cols = {0, w->kernel_w};
    if (left < 0 || left + (w->kernel_w - 1) * w->dilation_w >= w->in_w) {
        cols = inside(left, w->dilation_w, w->kernel_w, w->in_w);
    }
    cells->weights = w->weights;
    cells->w_step = w->out_c;
    int32_t is_whole = rows.count == w->kernel_h && cols.count == w->kernel_w;
    if (!is_whole && w->fill != -128) {
        gather(w, top, left);
        cells->x = w->scratch;
        cells->x_step = w->in_c;
        cells->x_skip = cells->w_skip = 0;
        cells->rows = w->kernel_h;
        cells->cols = w->kernel_w;
        return;
    }
    top += rows.first * w->dilation_h;
    left += cols.first * w->dilation_w;
    cells->x = w->in + (top * w->in_w + left) * w->in_c;
    cells->x_step = w->dilation_w * w->in_c;
    cells->x_skip = w->dilation_h * w->in_w * w->in_c - cols.count * cells->x_step;
    cells->weights += (rows.first * w->kernel_w + cols.first) * w->out_c;
    cells->w_skip = (w->kernel_w - cols.count) * w->out_c;
    cells->rows = rows.count;
    cells->cols = cols.count;
}

// Walks over the pixels of a row. A pixel beside an inner one is inner too: only x lies elsewhere.
struct walk {
    struct span rows;
    int32_t top, left, last_inner;
    const int8_t *inner; // x of the last pixel if that was an inner one, else 0
    const uint8_t *weights; // of it
};

static void start_row(struct walk *walk, const struct hg_window *w, int32_t row) {
    walk->top = row * w->stride_h - w->pad_top;
    walk->left = -w->pad_left;
    walk->last_inner = w->in_w - 1 - (w->kernel_w - 1) * w->dilation_w;
    walk->rows = inside(walk->top, w->dilation_h, w->kernel_h, w->in_h);
    walk->inner = 0;
}

static inline void next_pixel(struct walk *walk, const struct hg_window *w, struct cells *cells) {
    if (walk->inner && walk->left <= walk->last_inner) {
        walk->inner += w->stride_w * w->in_c;
        cells->x = walk->inner;
        cells->weights = walk->weights;
    } else {
        look(cells, w, walk->top, walk->left, walk->rows);
        int32_t is_inner = walk->left >= 0 && walk->left <= walk->last_inner;
        int32_t is_in_place = w->fill == -128 || walk->rows.count == w->kernel_h;
        walk->inner = is_inner && is_in_place ? cells->x : 0;
        walk->weights = cells->weights;
    }
    walk->left += w->stride_w;
}

#endif
