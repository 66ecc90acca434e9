"""Get MicroPython: find it, or build it from the Debian archive's sources."""
