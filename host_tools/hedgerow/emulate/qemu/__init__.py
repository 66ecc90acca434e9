"""Boards of QEMU: MicroPython images on Cortex-M3, M4, M7 and RV32."""
