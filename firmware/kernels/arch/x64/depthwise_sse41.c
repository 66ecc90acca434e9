// DEPTHWISE on SSE4.1, 8 channels at a time.

#pragma GCC target("sse4.1")

#include "lanes_sse41.h"
#include "levels.h"

#include "depthwise.h"

int32_t hg_depthwise_sse41(const struct hg_window *w, int32_t row_first, int32_t row_last) {
    return depthwise_rows(w, row_first, row_last);
}
