// Reads a CONV or DEPTHWISE record.

#include "window.h"

void hg_window_read(struct hg_window *w, const struct hg_run *run, const uint32_t *record) {
    w->flags = hg_flags(record);
    w->in = hg_in(run, record);
    w->out = hg_out(run, record);
    w->weights = run->data + record[3];
    w->channels = run->data + record[4];
    w->in_h = (int32_t)hg_low(record[5]);
    w->in_w = (int32_t)hg_high(record[5]);
    w->in_c = (int32_t)hg_low(record[6]);
    w->out_c = (int32_t)hg_high(record[6]);
    w->out_h = (int32_t)hg_low(record[7]);
    w->out_w = (int32_t)hg_high(record[7]);
    w->kernel_h = (int32_t)hg_u8(record[8], 0);
    w->kernel_w = (int32_t)hg_u8(record[8], 1);
    w->stride_h = (int32_t)hg_u8(record[8], 2);
    w->stride_w = (int32_t)hg_u8(record[8], 3);
    w->dilation_h = (int32_t)hg_u8(record[9], 0);
    w->dilation_w = (int32_t)hg_u8(record[9], 1);
    w->pad_top = (int32_t)hg_u8(record[9], 2);
    w->pad_left = (int32_t)hg_u8(record[9], 3);
    w->zero_point = hg_i8(record[10], 0);
    w->act_min = hg_i8(record[10], 1);
    w->act_max = hg_i8(record[10], 2);
    w->fill = hg_i8(record[10], 3);
    w->scratch = w->flags & HG_FLAG_SCRATCH ? run->arena + record[11] : 0;
}
