// Requantizing blocks of channels on Cortex-M0+: in assembly where shifts and outputs are plain.

#include "writer_m0.h"

// Assembly wants every right shift >= 2: then no sum of it overflows.
static int32_t has_plain_shifts(const struct hg_window *w) {
    if (!(w->flags & HG_FLAG_WIDE)) {
        return (w->flags >> 8 & 31) >= 2;
    }
    for (int32_t c = 0; c < w->out_c; c++) {
        struct hg_channel channel = hg_channel_read(w, c);
        if (channel.shift > -2 && channel.multiplier) {
            return 0;
        }
    }
    return 1;
}

void hg_m0_start(struct writer *writer, const struct hg_window *w) {
    int32_t is_wide = w->flags & HG_FLAG_WIDE;
    writer->window = w;
    writer->block_bytes = is_wide ? 48 : 28;
    writer->shift = is_wide ? -1 : (int32_t)(w->flags >> 8 & 31) - 1;
    writer->rounding = 1 + 2 * w->zero_point;
    writer->is_plain = w->act_min == -128 && w->act_max == 127 && has_plain_shifts(w);
}

void hg_m0_rewind(struct writer *writer, int8_t *out, int8_t *second) {
    writer->block = writer->window->channels;
    writer->cells.weights = writer->window->weights;
    writer->left = writer->window->out_c;
    writer->out[0] = out;
    writer->out[1] = second;
}

void hg_m0_write_any(struct writer *writer) {
    const struct hg_window *w = writer->window;
    int32_t c = w->out_c - writer->left;
    for (int32_t k = 0; k < 4 && c + k < w->out_c; k++) {
        struct hg_channel channel = hg_channel_read(w, c + k);
        writer->out[0][k] = hg_output(w, &channel, writer->acc[k] + channel.bias);
        if (writer->out[1] != writer->out[0]) {
            writer->out[1][k] = hg_output(w, &channel, writer->acc[4 + k] + channel.bias);
        }
    }
    writer->out[0] += 4;
    writer->out[1] += 4;
    writer->block += writer->block_bytes;
    writer->left -= 4;
}
