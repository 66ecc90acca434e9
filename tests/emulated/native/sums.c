// A native module for tests: the sum of the squares of int8 values, from any buffer.

#include "py/dynruntime.h"

static mp_obj_t squares(mp_obj_t values) {
    mp_buffer_info_t buffer;
    mp_get_buffer_raise(values, &buffer, MP_BUFFER_READ);
    const int8_t *x = buffer.buf;
    int32_t sum = 0;
    for (size_t i = 0; i < buffer.len; i++) {
        sum += x[i] * x[i];
    }
    return mp_obj_new_int(sum);
}
static MP_DEFINE_CONST_FUN_OBJ_1(squares_obj, squares);

mp_obj_t mpy_init(mp_obj_fun_bc_t *self, size_t n_args, size_t n_kw, mp_obj_t *args) {
    MP_DYNRUNTIME_INIT_ENTRY
    mp_store_global(MP_QSTR_squares, MP_OBJ_FROM_PTR(&squares_obj));
    MP_DYNRUNTIME_INIT_EXIT
}
