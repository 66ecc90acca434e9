// ADD by what the processor can do.

#include "levels.h"

// 0: nothing done, this is for the portable code.
int32_t hg_add_fast(const struct hg_run *run, const uint32_t *record) {
    if (record[5] != record[4] || record[6] != 1) { // b is spread over a
        return 0;
    }
    if (run->level >= HG_LEVEL_AVX2) {
        hg_add_avx2(run, record);
    } else if (run->level >= HG_LEVEL_SSE41) {
        hg_add_sse41(run, record);
    }
    return run->level >= HG_LEVEL_SSE41;
}
