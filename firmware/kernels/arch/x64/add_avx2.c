// ADD on AVX2, 16 elements at a time.

#pragma GCC target("avx2")

#include "lanes_avx2.h"
#include "levels.h"

#include "add.h"

void hg_add_avx2(const struct hg_run *run, const uint32_t *record) {
    add(run, record);
}
