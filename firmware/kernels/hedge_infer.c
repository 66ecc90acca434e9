// The native module hedge_infer_native: abi() and run(data, arena, cursor).

#include "py/dynruntime.h"
#include "record.h"

static mp_obj_t abi(void) {
    return MP_OBJ_NEW_SMALL_INT(2); // the version of the .hgm file
}
static MP_DEFINE_CONST_FUN_OBJ_0(abi_obj, abi);

// Four ints, see plan.c; a fifth, 0 at first, is where x64 keeps what cpuid said: that takes 25 us
// under a hypervisor.
static bool is_cursor(const mp_buffer_info_t *cursor) {
    return cursor->len == 4 * sizeof(int32_t) || cursor->len == 5 * sizeof(int32_t);
}

static int32_t run_with(const uint8_t *data, int8_t *arena, const mp_buffer_info_t *cursor) {
#if HG_X64
    int32_t once = 0, *ints = cursor->buf;
    int32_t *level = cursor->len > 4 * sizeof(int32_t) ? ints + 4 : &once;
    if (*level == 0) {
        *level = hg_level();
    }
    return hg_run_level(data, arena, ints, *level);
#else
    return hg_run(data, arena, cursor->buf);
#endif
}

// data: the whole checked file at a multiple of 4; arena: writable; cursor: array("i") of 4 or 5.
// Allocates nothing. Raises ValueError, before anything is touched, if the plan has an opcode that
// this build lacks.
static mp_obj_t run(mp_obj_t data_obj, mp_obj_t arena_obj, mp_obj_t cursor_obj) {
    mp_buffer_info_t data, arena, cursor;
    mp_get_buffer_raise(data_obj, &data, MP_BUFFER_READ);
    mp_get_buffer_raise(arena_obj, &arena, MP_BUFFER_RW);
    mp_get_buffer_raise(cursor_obj, &cursor, MP_BUFFER_RW);
    if (((size_t)data.buf & 3) || ((size_t)arena.buf & 3) || !is_cursor(&cursor)) {
        mp_raise_ValueError(MP_ERROR_TEXT("data and arena at multiples of 4, 4 or 5 ints of cursor"));
    }
    if (run_with(data.buf, arena.buf, &cursor)) {
        mp_raise_ValueError(MP_ERROR_TEXT("op not in this build"));
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_3(run_obj, run);

mp_obj_t mpy_init(mp_obj_fun_bc_t *self, size_t n_args, size_t n_kw, mp_obj_t *args) {
    MP_DYNRUNTIME_INIT_ENTRY
    mp_store_global(MP_QSTR_abi, MP_OBJ_FROM_PTR(&abi_obj));
    mp_store_global(MP_QSTR_run, MP_OBJ_FROM_PTR(&run_obj));
    MP_DYNRUNTIME_INIT_EXIT
}
