// hg_depthwise by what the processor can do.

#include "levels.h"

#define hg_depthwise depthwise_scalar
#include "../depthwise_generic.c"
#undef hg_depthwise

void hg_depthwise(
    const struct hg_run *run, const uint32_t *record, int32_t row_first, int32_t row_last) {
    struct hg_window w;
    hg_window_read(&w, run, record);
    int32_t is_done = 0;
    if (run->level >= HG_LEVEL_AVX2) {
        is_done = hg_depthwise_avx2(&w, row_first, row_last);
    } else if (run->level >= HG_LEVEL_SSE41) {
        is_done = hg_depthwise_sse41(&w, row_first, row_last);
    }
    if (!is_done) { // kernels of 64 taps and more; rare shapes
        depthwise_scalar(run, record, row_first, row_last);
    }
}
