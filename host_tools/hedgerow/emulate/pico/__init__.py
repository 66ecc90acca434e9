"""The emulated Raspberry Pi Pico: the real firmware in rp2040js."""
