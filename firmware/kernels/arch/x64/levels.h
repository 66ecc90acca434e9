// What the processor can do, and the kernels of each level.
#ifndef HEDGE_KERNELS_X64_LEVELS_H
#define HEDGE_KERNELS_X64_LEVELS_H

#include "../../window.h"

#pragma GCC visibility push(hidden)

enum hg_level {
    HG_LEVEL_UNKNOWN,
    HG_LEVEL_SCALAR,
    HG_LEVEL_SSE41,
    HG_LEVEL_AVX2,
    HG_LEVEL_VNNI, // AVX-512 VNNI with registers of 256 bits
};


void hg_conv_sse41(const struct hg_window *w, int32_t row_first, int32_t row_last);
void hg_conv_avx2(const struct hg_window *w, int32_t row_first, int32_t row_last);
void hg_conv_vnni(const struct hg_window *w, int32_t row_first, int32_t row_last);
// 0: not for this layer.
int32_t hg_depthwise_sse41(const struct hg_window *w, int32_t row_first, int32_t row_last);
int32_t hg_depthwise_avx2(const struct hg_window *w, int32_t row_first, int32_t row_last);
void hg_add_sse41(const struct hg_run *run, const uint32_t *record);
void hg_add_avx2(const struct hg_run *run, const uint32_t *record);

#pragma GCC visibility pop

#endif
