"""Simulated chips at register and bit level, for fake buses in both Pythons. See README.md."""
