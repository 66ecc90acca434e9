// ADD on SSE4.1, 8 elements at a time.

#pragma GCC target("sse4.1")

#include "lanes_sse41.h"
#include "levels.h"

#include "add.h"

void hg_add_sse41(const struct hg_run *run, const uint32_t *record) {
    add(run, record);
}
