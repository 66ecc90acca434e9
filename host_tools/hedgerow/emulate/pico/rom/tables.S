@ Start of the boot ROM image: vectors, the pointers that programs know, and both lookup tables.
@ Layout: RP2040 datasheet 2.8.3 (bootrom contents); codes: pico-sdk boot/bootrom_constants.h.

    .syntax unified
    .cpu cortex-m0plus
    .thumb

    .section .vectors, "a"
    .word 0x20042000            @ stack: end of SCRATCH_Y
    .word reset + 1
    .word stop + 1              @ NMI
    .word stop + 1              @ HardFault before the program has its own vectors
    .byte 'M', 'u', 1           @ magic
    .byte 3                     @ ROM version 3 (B2 silicon): float table of version 2 and later
    .hword functions
    .hword data
    .hword lookup + 1

    .macro entry first, second, target
    .hword (\second << 8) | \first
    .hword \target + 1          @ thumb
    .endm

    .section .rodata.tables, "a"
    .balign 2
functions:
    entry 'P', '3', rom_popcount32
    entry 'R', '3', rom_reverse32
    entry 'L', '3', rom_clz32
    entry 'T', '3', rom_ctz32
    entry 'M', 'S', rom_memset
    entry 'S', '4', rom_memset
    entry 'M', 'C', rom_memcpy
    entry 'C', '4', rom_memcpy
    entry 'U', 'B', flash_boot
    entry 'I', 'F', flash_connect
    entry 'E', 'X', flash_exit_xip
    entry 'R', 'E', flash_erase
    entry 'R', 'P', flash_program
    entry 'F', 'C', flash_flush
    entry 'C', 'X', flash_enter_xip
    .hword 0
data:
    .hword ('F' << 8) | 'S'
    .hword float_table
    .hword 0

@ The number of words in a float table stands two bytes before it.
    .balign 4
    .hword 0
    .byte (float_table_end - float_table) / 4
    .byte 0
float_table:
    .word rom_fadd, rom_fsub, rom_fmul, rom_fdiv
    .word rom_fcmp, unserved + 1, unserved + 1          @ fcmp_fast, its flags form, sqrt
    .word rom_float2int, unserved + 1, rom_float2uint, unserved + 1
    .word rom_int2float, unserved + 1, rom_uint2float, unserved + 1
    .word unserved + 1, unserved + 1, unserved + 1      @ cos, sin, tan
    .word unserved + 1, unserved + 1, unserved + 1      @ sincos, exp, ln
    .word rom_fcmp, unserved + 1                        @ fcmp_basic, atan2
    .word rom_int642float, unserved + 1, rom_uint642float, unserved + 1
    .word rom_float2int64, unserved + 1, rom_float2uint64, rom_float2ufix64
    .word rom_float2double
float_table_end:

    .section .text.start, "ax"
    .thumb_func
reset:
    movs r0, #0
    mov lr, r0                  @ tells the second stage that no program called it
    ldr r0, =0x10000001
    bx r0

    .thumb_func
stop:
    bkpt #255
    b stop

@ lookup(table r0, code r1): the address, or 0 at the table's end.
    .thumb_func
lookup:
    ldrh r2, [r0]
    cmp r2, #0
    beq 2f
    cmp r2, r1
    beq 1f
    adds r0, #4
    b lookup
1:  ldrh r2, [r0, #2]
2:  mov r0, r2
    bx lr

@ Functions that the emulator carries out: emulator.mjs knows the numbers.
    .macro trap name, number
    .thumb_func
\name:
    bkpt #\number
    bx lr
    .endm

    trap flash_connect, 1
    trap flash_exit_xip, 2
    trap flash_erase, 3         @ (offset, count, block size, block command)
    trap flash_program, 4       @ (offset, data, count)
    trap flash_flush, 5
    trap flash_enter_xip, 6
    trap flash_boot, 7          @ reset into the USB boot loader
    trap unserved, 8            @ a ROM float function that MicroPython does not use
