// The hot parts for Cortex-M0+: MULS takes one cycle, there is no multiply-add, and only ADD, CMP
// and MOV reach registers above r7. Called from conv_m0.c and depthwise_m0.c, where layouts and
// ideas are explained. Cycle counts leave out waits for the flash.

    .syntax unified
    .cpu cortex-m0
    .thumb
    .text

    .macro function name
    .balign 4
    .global \name
    .hidden \name
    .thumb_func
    .type \name, %function
\name:
    .endm

    // r0 (acc), r4-r11 and lr on the stack; r0 is then at [sp, #16].
    .macro enter
    push {r0, r4-r7, lr}
    mov r4, r8
    mov r5, r9
    mov r6, r10
    mov r7, r11
    push {r4-r7}
    .endm

    .macro leave
    pop {r4-r7}
    mov r8, r4
    mov r9, r5
    mov r10, r6
    mov r11, r7
    pop {r0, r4-r7, pc}
    .endm

    // Offsets in struct writer of writer_m0.h.
    .equ FIRST_LOW, 32
    .equ FIRST_HIGH, 36
    .equ BLOCK, 40
    .equ OUT, 44
    .equ ROUNDING, 52
    .equ SHIFT, 56
    .equ BLOCK_BYTES, 60
    .equ LEFT, 64
    .equ IS_PLAIN, 68
    .equ WEIGHTS, 72
    .equ X, 76
    .equ ROWS, 80
    .equ COLS, 84
    .equ X_STEP, 88
    .equ X_SKIP, 92
    .equ W_STEP, 96
    .equ W_SKIP, 100
    .equ IS_ALIGNED, 104

    // ---- Requantizing: about 50 cycles an output. hg_srdhm and hg_divide_by_pot of requantize.h
    // with right >= 2 and outputs of the full int8 range.

    // acc at [r6, #at]; multiplier r4 * 65536 + r5; r7 = right - 1; r8 = bias; r12 = 0x4000;
    // lr = 1 + 2 * zero point; to byte `place` from `out` on.
    .macro output at, out, place
    ldr r0, [r6, #\at]
    add r0, r8
    asrs r1, r0, #16
    uxth r0, r0
    movs r2, r0
    muls r2, r5
    lsrs r2, r2, #16
    movs r3, r1
    muls r3, r5
    adds r2, r2, r3
    muls r0, r4
    muls r1, r4
    uxth r3, r2
    asrs r2, r2, #16
    adds r0, r0, r3
    adds r1, r1, r2
    add r0, r12
    asrs r0, r0, #15
    lsls r1, r1, #1
    adds r0, r0, r1         // SRDHM
    asrs r1, r0, #31
    adds r0, r0, r1
    asrs r0, r7
    add r0, lr
    asrs r0, r0, #1         // divided, with the zero point
    sxtb r1, r0
    cmp r1, r0
    beq 8f
    asrs r0, r0, #31        // 127 or -128
    movs r1, #127
    eors r0, r1
8:  mov r1, \out
    strb r0, [r1, #\place]
    .endm

    // From fields of the table, r0 = low half of the bias, \high its high part, r5 = multiplier and
    // s, r4 = shift_base - 1: r0 = bias, r4 = high half and r5 = all of the multiplier, r7 = right - 1.
    .macro put_together high
    lsls \high, \high, #24
    asrs \high, \high, #8
    adds r0, r0, \high
    lsls r7, r5, #30
    lsrs r7, r7, #30
    adds r7, r7, r4
    lsrs r5, r5, #2
    lsrs r4, r5, #16
    add r4, r12
    .endm

    // The same from a wide table: i32 bias[4], multiplier[4], shift[4].
    .macro wide place
    ldr r0, [r1, #4 * \place]
    ldr r5, [r1, #16 + 4 * \place]
    ldr r7, [r1, #32 + 4 * \place]
    mvns r7, r7             // -shift - 1
    lsrs r4, r5, #16
    .endm

    // A channel of both pixels.
    .macro both place
    mov r8, r0
    uxth r5, r5
    output 4 * \place, r9, \place
    cmp r9, r10
    beq 9f
    output 16 + 4 * \place, r10, \place
9:
    .endm

    // Channel `place` of the block at r11.
    .macro channel place
    mov r1, r11
    ldr r4, [sp]            // shift_base - 1; negative: the table is wide
    cmp r4, #0
    blt wide_\place
    ldr r5, [r1, #4 * \place] // (multiplier - 2**30) << 2 | s
    ldrh r0, [r1, #16 + 2 * \place]
    ldrb r2, [r1, #24 + \place]
    put_together r2
both_\place:
    both \place
    .endm

    .macro wide_channel place
wide_\place:
    wide \place
    b both_\place
    .endm

// void hg_m0_write(struct writer *)     writes the next four channels, or as many as are left
    function hg_m0_write
    enter
    bl write_block
    leave

    // The same for assembly: r0 = writer; every register is lost.
    .balign 4
    .thumb_func
write_block:
    push {r0, lr}
    ldr r1, [r0, #IS_PLAIN]
    ldr r2, [r0, #LEFT]
    subs r2, r2, #4
    blt 1f                  // fewer than four channels
    cmp r1, #0
    bne 2f
1:  bl hg_m0_write_any
    pop {r0, pc}
2:  str r2, [r0, #LEFT]
    mov r6, r0
    ldr r1, [r0, #OUT]
    mov r9, r1
    ldr r2, [r0, #OUT + 4]  // the same where there is one pixel
    mov r10, r2
    adds r1, r1, #4
    str r1, [r0, #OUT]
    adds r2, r2, #4
    str r2, [r0, #OUT + 4]
    ldr r1, [r0, #BLOCK]
    mov r11, r1
    ldr r2, [r0, #BLOCK_BYTES]
    adds r1, r1, r2
    str r1, [r0, #BLOCK]
    ldr r1, [r0, #ROUNDING]
    mov lr, r1
    movs r1, #1
    lsls r1, r1, #14
    mov r12, r1
    ldr r4, [r0, #SHIFT]
    push {r4}
#if HG_SMALL
    // One channel a round instead of four: 550 bytes less, 7 cycles an output more.
    movs r2, #0
    push {r2}               // place in the block
3:  mov r1, r11
    ldr r4, [sp, #4]        // shift_base - 1
    lsls r3, r2, #2
    cmp r4, #0
    blt 4f
    ldr r5, [r1, r3]
    adds r3, r1, r2
    ldrb r3, [r3, #24]
    lsls r2, r2, #1
    adds r2, r2, r1
    ldrh r0, [r2, #16]
    put_together r3
    b 5f
4:  adds r1, r1, r3
    wide 0
5:  both 0
    movs r1, #1
    add r9, r1
    add r10, r1
    adds r6, r6, #4
    ldr r2, [sp]
    adds r2, r2, #1
    str r2, [sp]
    cmp r2, #4
    bne 3b
    add sp, #4
#else
    channel 0
    b 3f
    wide_channel 0
    wide_channel 1
3:  channel 1
    channel 2
    b 3f
    wide_channel 2
    wide_channel 3
3:  channel 3
#endif
    add sp, #8
    pop {pc}

    // ---- CONV.

    // Sums of w * X for one weight w in r5 and both pixels of X.
    .macro product x, low, high
    muls r5, \x
    add \low, r5
    lsrs r5, r5, #16
    add \high, r5
    .endm

    // A weight word: channels c and c + 1 of the taps in r3 and r4.
    .macro four_weights low0, high0, low1, high1
    ldmia r0!, {r2}
    uxtb r5, r2
    product r3, \low0, \high0
    lsrs r5, r2, #8
    uxtb r5, r5
    product r3, \low1, \high1
    lsrs r5, r2, #16
    uxtb r5, r5
    product r4, \low0, \high0
    lsrs r5, r2, #24
    product r4, \low1, \high1
    .endm

    .macro two_taps
    ldmia r1!, {r3, r4}
    four_weights r6, r7, r8, r9
    four_weights r10, r11, r12, lr
    .endm

    // acc of pixel 0 at [r0, #at], of pixel 1 16 bytes on.
    .macro split low, high, at
    mov r5, \high
    str r5, [r0, #16 + \at]
    lsls r5, r5, #16
    mov r4, \low
    subs r4, r4, r5
    str r4, [r0, #\at]
    .endm

// void hg_m0_two_pixels(struct writer *, const void *x, int32_t even_taps)
    function hg_m0_two_pixels
    enter
    lsls r2, r2, #2
    adds r2, r2, r1
    push {r0, r1, r2}       // writer, x, the end of x
1:  ldr r0, [sp, #0]
    ldr r1, [sp, #4]
    ldr r5, [sp, #8]
    ldr r6, [r0, #FIRST_LOW]
    ldr r7, [r0, #FIRST_HIGH]
    ldr r0, [r0, #WEIGHTS]
    mov r8, r6
    mov r9, r7
    mov r10, r6
    mov r11, r7
    mov r12, r6
    mov lr, r7
    // The first round has as many pairs as the number of pairs modulo 4 says: jump over the rest.
    subs r5, r1, r5         // - 8 * pairs
    lsls r5, r5, #27
    lsrs r5, r5, #30
    movs r4, #(3f - 2f)
    muls r5, r4
    add pc, r5
    nop                     // pc is two instructions on
2:  two_taps
3:  two_taps
    two_taps
    two_taps
    ldr r5, [sp, #8]
    cmp r1, r5
    beq 4f
    b 2b                    // too far for bne
4:  ldr r5, [sp, #0]
    str r0, [r5, #WEIGHTS]
    mov r0, r5
    split r6, r7, 0
    split r8, r9, 4
    split r10, r11, 8
    split r12, lr, 12
    bl write_block
    ldr r0, [sp, #0]
    ldr r1, [r0, #LEFT]
    cmp r1, #0
    ble 5f
    b 1b
5:  add sp, #12
    leave

    // A weight word: channels c and c + 1 of taps in r4 and r5 of one pixel. `both` sums
    // (w0 + 256 * w1) * x, so that only w1 has to be cut out.
    .macro four_weights_one both, second
    ldmia r0!, {r2}
    uxth r6, r2
    muls r6, r4
    add \both, r6
    lsrs r6, r2, #8
    uxtb r6, r6
    muls r6, r4
    add \second, r6
    lsrs r6, r2, #16
    muls r6, r5
    add \both, r6
    lsrs r6, r2, #24
    muls r6, r5
    add \second, r6
    .endm

    .macro split_one both, second, at
    mov r5, \second
    str r5, [r0, #4 + \at]
    lsls r5, r5, #8
    mov r4, \both
    subs r4, r4, r5
    str r4, [r0, #\at]
    .endm

// void hg_m0_one_pixel(struct writer *, const int8_t *x, int32_t taps)
    function hg_m0_one_pixel
    enter
    adds r2, r2, r1
    mov r11, r2             // the end of x
    ldr r7, [r0, #FIRST_LOW]
    mov r9, r7
    ldr r3, [r0, #FIRST_HIGH]
    mov r8, r3
    mov r12, r3
    ldr r0, [r0, #WEIGHTS]
    ldr r3, =0x80808080
    mov r10, r3
1:  ldmia r1!, {r3}
    mov r4, r10
    eors r3, r4
    uxtb r4, r3
    lsrs r5, r3, #8
    uxtb r5, r5
    four_weights_one r7, r8
    four_weights_one r9, r12
    lsrs r3, r3, #16
    uxtb r4, r3
    lsrs r5, r3, #8
    four_weights_one r7, r8
    four_weights_one r9, r12
    cmp r1, r11
    bne 1b
    ldr r1, [sp, #16]
    str r0, [r1, #WEIGHTS]
    mov r0, r1
    split_one r7, r8, 0
    split_one r9, r12, 8
    leave
    .pool

    // ---- DEPTHWISE.

    // acc r8 - r11 of four channels and one tap; x at r0, w at r1, r7 = 0x80808080.
    .macro four_channels_of_words
    ldr r2, [r0]
    ldr r3, [r1]
    eors r2, r7
    uxtb r4, r2
    sxtb r5, r3
    muls r4, r5
    add r8, r4
    lsrs r4, r2, #8
    uxtb r4, r4
    lsls r5, r3, #16
    asrs r5, r5, #24
    muls r4, r5
    add r9, r4
    lsrs r4, r2, #16
    uxtb r4, r4
    lsls r5, r3, #8
    asrs r5, r5, #24
    muls r4, r5
    add r10, r4
    lsrs r4, r2, #24
    asrs r5, r3, #24
    muls r4, r5
    add r11, r4
    .endm

    .macro channel_of_bytes at, acc
    ldrb r4, [r0, #\at]
    adds r4, r4, #128
    uxtb r4, r4
    ldrb r5, [r1, #\at]
    sxtb r5, r5
    muls r4, r5
    add \acc, r4
    .endm

    // One channel block of a pixel, cell by cell; then jumps to 5.
    .macro all_cells four_channels:vararg
2:  ldr r6, [sp, #8]        // columns
3:  \four_channels
    add r0, r12
    add r1, lr
    subs r6, r6, #1
    bne 3b
    next_row
    ldr r2, [sp, #4]
    subs r2, r2, #1
    str r2, [sp, #4]
    bne 2b
    .endm

    .macro three_cells
    .rept 3
    four_channels_of_words
    add r0, r12
    add r1, lr
    .endr
    .endm

    .macro next_row
    ldr r2, [sp, #12]
    adds r0, r0, r2
    ldr r2, [sp, #16]
    adds r1, r1, r2
    .endm

    .macro four_channels_of_bytes
    channel_of_bytes 0, r8
    channel_of_bytes 1, r9
    channel_of_bytes 2, r10
    channel_of_bytes 3, r11
    .endm

// void hg_m0_depthwise(struct writer *)     whole blocks of four channels of one pixel
    function hg_m0_depthwise
    enter
    ldr r2, [r0, #COLS]
    ldr r3, [r0, #X_SKIP]
    ldr r4, [r0, #W_SKIP]
    sub sp, #20             // writer, rows left, columns, x_skip, w_skip
    str r0, [sp, #0]
    str r2, [sp, #8]
    str r3, [sp, #12]
    str r4, [sp, #16]
1:  ldr r1, [r0, #ROWS]
    str r1, [sp, #4]
    ldr r1, [r0, #X_STEP]
    mov r12, r1
    ldr r1, [r0, #W_STEP]
    mov lr, r1
    ldr r1, [r0, #WEIGHTS]
    adds r2, r1, #4
    str r2, [r0, #WEIGHTS]
    ldr r3, [r0, #X]
    adds r2, r3, #4
    str r2, [r0, #X]
    ldr r7, =0x80808080
    ldr r6, [r0, #IS_ALIGNED]
    movs r0, #0
    mov r8, r0
    mov r9, r0
    mov r10, r0
    mov r11, r0
    mov r0, r3
    cmp r6, #0
    bne 7f
    all_cells four_channels_of_bytes
    b 5f
7:
#if !HG_SMALL
    ldr r2, [sp, #4]
    ldr r6, [sp, #8]
    lsls r2, r2, #16
    orrs r2, r6
    ldr r6, =0x30003
    cmp r2, r6
    beq 8f                  // 3 x 3: what nearly every model has
    b 9f
8:  three_cells
    next_row
    three_cells
    next_row
    three_cells
    b 5f
9:
#endif
    all_cells four_channels_of_words
5:  ldr r0, [sp, #0]
    mov r6, r0
    mov r2, r8
    mov r3, r9
    mov r4, r10
    mov r5, r11
    stmia r6!, {r2-r5}
    bl write_block
    ldr r0, [sp, #0]
    ldr r1, [r0, #LEFT]
    cmp r1, #4
    blt 6f
    b 1b
6:  add sp, #20
    leave
    .pool
