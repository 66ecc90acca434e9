"""Sleeping between ticks, and counting where the charge goes. Loaded where [power] asks for it."""
