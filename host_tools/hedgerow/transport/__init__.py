"""Ways to reach a device; so far a MicroPython Unix-port process on this computer."""
