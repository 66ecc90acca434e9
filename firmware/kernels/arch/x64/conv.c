// hg_conv by what the processor can do.

#include "levels.h"

#define hg_conv conv_scalar
#include "../conv_generic.c"
#undef hg_conv

void hg_conv(
    const struct hg_run *run, const uint32_t *record, int32_t row_first, int32_t row_last) {
    struct hg_window w;
    hg_window_read(&w, run, record);
    if (run->level >= HG_LEVEL_VNNI) {
        hg_conv_vnni(&w, row_first, row_last);
    } else if (run->level >= HG_LEVEL_AVX2) {
        hg_conv_avx2(&w, row_first, row_last);
    } else if (run->level >= HG_LEVEL_SSE41) {
        hg_conv_sse41(&w, row_first, row_last);
    } else {
        conv_scalar(run, record, row_first, row_last);
    }
}
