// Calls a native module under qemu-xtensa, in place of MicroPython: mpy_init, then run() until
// its cursor is done, then writes the output. image.py fills the words. Windowed ABI; calls of
// Linux: 13 is write, 118 exit.

    .text
    .p2align 2
stack:  .long 0 // its top
module: .long 0 // where the module's code begins, which is mpy_init
object: .long 0 // whatever mpy_init looks into
data:   .long 0 // mp_buffer_info_t of run()'s arguments
arena:  .long 0
cursor: .long 0
ints:   .long 0 // the cursor's own
out:    .long 0 // what to write
bytes:  .long 0
run:    .long 0 // address of the next word
stored: .long 0 // the last function that mpy_init stored

start:
    l32r a1, stack
    l32r a8, module
    l32r a10, object
    movi a11, 0
    movi a12, 0
    movi a13, 0
    callx8 a8
again:
    l32r a8, run
    l32i a8, a8, 0
    l32i a8, a8, 4
    l32r a10, data
    l32r a11, arena
    l32r a12, cursor
    callx8 a8
    l32r a8, ints
    l32i a8, a8, 8
    bnez a8, again
    movi a2, 13
    movi a6, 1
    l32r a3, out
    l32r a4, bytes
    syscall
    movi a2, 118
    movi a6, 0
    syscall

    .p2align 2
swap_globals:
    entry a1, 32
    retw

    .p2align 2
store_global:
    entry a1, 32
    l32r a8, run
    s32i a3, a8, 0
    retw

    .p2align 2
get_buffer:
    entry a1, 32
    l32i a8, a2, 0
    s32i a8, a3, 0
    l32i a8, a2, 4
    s32i a8, a3, 4
    movi a2, 1
    retw

    .p2align 2
fail: // any other function of MicroPython, an exception too
    entry a1, 32
    movi a2, 118
    movi a6, 3
    syscall
