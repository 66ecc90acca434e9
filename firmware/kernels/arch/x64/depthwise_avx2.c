// DEPTHWISE on AVX2, 16 channels at a time.

#pragma GCC target("avx2")

#include "lanes_avx2.h"
#include "levels.h"

#include "depthwise.h"

int32_t hg_depthwise_avx2(const struct hg_window *w, int32_t row_first, int32_t row_last) {
    return depthwise_rows(w, row_first, row_last);
}
