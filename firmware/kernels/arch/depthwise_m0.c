// DEPTHWISE for Cortex-M0+: four channels by word loads in kernels_m0.S.

#include "writer_m0.h"
#include "depthwise_cells.h"

static void write_pixel(struct writer *writer) {
    struct cells *cells = &writer->cells;
    if (writer->left >= 4 && cells->rows && cells->cols) {
        hg_m0_depthwise(writer);
    }
    while (writer->left > 0) {
        for (int32_t k = 0; k < 4 && k < writer->left; k++) {
            writer->acc[k] = hg_sum_cells(cells);
            cells->x++;
            cells->weights++;
        }
        hg_m0_write(writer);
    }
}

void hg_depthwise(
    const struct hg_run *run, const uint32_t *record, int32_t row_first, int32_t row_last) {
    struct hg_window w;
    struct writer writer;
    struct walk walk;
    hg_window_read(&w, run, record);
    hg_m0_start(&writer, &w);
    writer.is_aligned = !(w.in_c & 3);
    int8_t *out = w.out + row_first * w.out_w * w.out_c;
    for (int32_t row = row_first; row < row_last; row++) {
        start_row(&walk, &w, row);
        for (int32_t col = 0; col < w.out_w; col++, out += w.out_c) {
            hg_m0_rewind(&writer, out, out);
            next_pixel(&walk, &w, &writer.cells);
            write_pixel(&writer);
        }
    }
}
