"""Cellular modems on a UART; see README.md."""
