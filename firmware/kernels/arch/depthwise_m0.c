// DEPTHWISE for Cortex-M0+: pixel by pixel, four channels by word loads in kernels_m0.S.
//
// What lies outside the image counts as x' = fill + 128, which is 0 after most activations: then a
// border pixel sums the cells inside; else it is gathered into the scratch.

#include "writer_m0.h"
#include "depthwise_gather.h"

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

static int32_t sum_of_channel(const struct writer *writer) {
    const int8_t *x = writer->x, *weight = (const int8_t *)writer->weights;
    int32_t acc = 0;
    for (int32_t i = 0; i < writer->rows; i++) {
        for (int32_t j = 0; j < writer->cols; j++) {
            acc += (*x + 128) * *weight;
            x += writer->x_step;
            weight += writer->w_step;
        }
        x += writer->x_skip;
        weight += writer->w_skip;
    }
    return acc;
}

static void write_pixel(struct writer *writer) {
    if (writer->left >= 4 && writer->rows && writer->cols) {
        hg_m0_depthwise(writer);
    }
    while (writer->left > 0) {
        for (int32_t k = 0; k < 4 && k < writer->left; k++) {
            writer->acc[k] = sum_of_channel(writer);
            writer->x++;
            writer->weights++;
        }
        hg_m0_write(writer);
    }
}

// Cells of the pixel whose window starts at row top, column left; rows: those inside.
static void look(struct writer *writer, int32_t top, int32_t left, struct span rows) {
    const struct hg_window *w = writer->window;
    struct span cols = {0, w->kernel_w};
    if (left < 0 || left + (w->kernel_w - 1) * w->dilation_w >= w->in_w) {
        cols = inside(left, w->dilation_w, w->kernel_w, w->in_w);
    }
    int32_t is_whole = rows.count == w->kernel_h && cols.count == w->kernel_w;
    if (!is_whole && w->fill != -128) {
        struct cells cells = gathered(w, top, left);
        writer->x = cells.first;
        writer->x_step = cells.step;
        writer->x_skip = writer->w_skip = 0;
        writer->rows = w->kernel_h;
        writer->cols = w->kernel_w;
        return;
    }
    top += rows.first * w->dilation_h;
    left += cols.first * w->dilation_w;
    writer->x = w->in + (top * w->in_w + left) * w->in_c;
    writer->x_step = w->dilation_w * w->in_c;
    writer->x_skip = w->dilation_h * w->in_w * w->in_c - cols.count * writer->x_step;
    writer->weights += (rows.first * w->kernel_w + cols.first) * w->out_c;
    writer->w_skip = (w->kernel_w - cols.count) * w->out_c;
    writer->rows = rows.count;
    writer->cols = cols.count;
}

void hg_depthwise(
    const struct hg_run *run, const uint32_t *record, int32_t row_first, int32_t row_last) {
    struct hg_window w;
    struct writer writer;
    hg_window_read(&w, run, record);
    hg_m0_start(&writer, &w);
    writer.w_step = w.out_c;
    writer.is_aligned = !(w.in_c & 3);
    int32_t last_inner = w.in_w - 1 - (w.kernel_w - 1) * w.dilation_w;
    int8_t *out = w.out + row_first * w.out_w * w.out_c;
    for (int32_t row = row_first; row < row_last; row++) {
        int32_t top = row * w.stride_h - w.pad_top;
        int32_t left = -w.pad_left;
        struct span rows = inside(top, w.dilation_h, w.kernel_h, w.in_h);
        // A pixel beside an inner one is inner too: only its cells lie elsewhere.
        int32_t is_inner = w.fill == -128 || rows.count == w.kernel_h;
        const int8_t *inner = 0;
        const uint8_t *weights = 0;
        for (int32_t col = 0; col < w.out_w; col++, out += w.out_c, left += w.stride_w) {
            hg_m0_rewind(&writer, out, out);
            if (inner && left <= last_inner) {
                inner += w.stride_w * w.in_c;
                writer.x = inner;
                writer.weights = weights;
            } else {
                look(&writer, top, left, rows);
                inner = is_inner && left >= 0 && left <= last_inner ? writer.x : 0;
                weights = writer.weights;
            }
            write_pixel(&writer);
        }
    }
}
