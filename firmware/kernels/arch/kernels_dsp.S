// The inner products of CONV for Cortex-M4, M7 and M33; called from conv_dsp.c.

    .syntax unified
    .thumb
    .text

    // Two taps of channels c and c + 1, for both pixels: x in r11 and r12.
    .macro two_channels a0, b0, a1, b1
    ldr r0, [r1], #4
    uxtb16 lr, r0
    uxtb16 r0, r0, ror #8
    smlad \a0, lr, r11, \a0
    smlad \b0, lr, r12, \b0
    smlad \a1, r0, r11, \a1
    smlad \b1, r0, r12, \b1
    .endm

    .macro two_taps
    ldrd r11, r12, [r2], #8
    two_channels r3, r7, r4, r8
    two_channels r5, r9, r6, r10
    .endm

// void hg_dsp_two_pixels(int32_t *acc, const uint8_t *w, const uint16_t *x, int32_t even_taps)
    .balign 4
    .global hg_dsp_two_pixels
    .hidden hg_dsp_two_pixels
    .thumb_func
    .type hg_dsp_two_pixels, %function
hg_dsp_two_pixels:
    push {r0, r4-r11, lr}
    add lr, r2, r3, lsl #2          // the end of x
    bic r0, r3, #7
    add r0, r2, r0, lsl #2          // the end of whole rounds
    push {r0, lr}
    mov r3, #0
    mov r4, #0
    mov r5, #0
    mov r6, #0
    mov r7, #0
    mov r8, #0
    mov r9, #0
    mov r10, #0
    b 2f
1:  two_taps
    two_taps
    two_taps
    two_taps
2:  ldr r0, [sp, #0]
    cmp r2, r0
    bne 1b
    b 4f
3:  two_taps
4:  ldr r0, [sp, #4]
    cmp r2, r0
    bne 3b
    add sp, #8
    ldr r0, [sp], #4
    stmia r0, {r3-r10}
    pop {r4-r11, pc}

    // Two taps of four channels of one pixel: x in \x.
    .macro two_taps_one x
    ldrd r0, r8, [r1], #8
    uxtb16 r9, r0
    uxtb16 r0, r0, ror #8
    smlad r4, r9, \x, r4
    smlad r5, r0, \x, r5
    uxtb16 r9, r8
    uxtb16 r8, r8, ror #8
    smlad r6, r9, \x, r6
    smlad r7, r8, \x, r7
    .endm

// void hg_dsp_one_pixel(int32_t *acc, const uint8_t *w, const int8_t *x, int32_t taps)
    .balign 4
    .global hg_dsp_one_pixel
    .hidden hg_dsp_one_pixel
    .thumb_func
    .type hg_dsp_one_pixel, %function
hg_dsp_one_pixel:
    push {r0, r4-r11, lr}
    add lr, r2, r3                  // the end of x
    mov r3, #0x80808080
    mov r4, #0
    mov r5, #0
    mov r6, #0
    mov r7, #0
    b 2f
1:  ldr r10, [r2], #4
    eor r10, r10, r3
    uxtb16 r11, r10                 // taps 0 and 2
    uxtb16 r12, r10, ror #8         // 1 and 3
    pkhbt r10, r11, r12, lsl #16    // 0 and 1
    pkhtb r12, r12, r11, asr #16    // 2 and 3
    two_taps_one r10
    two_taps_one r12
2:  cmp r2, lr
    bne 1b
    ldr r0, [sp], #4
    stmia r0, {r4-r7}
    pop {r4-r11, pc}
