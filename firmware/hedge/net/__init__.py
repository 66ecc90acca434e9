"""Links to the world and the loop that drains the store over them: link.make_link, uplink.Uplink.

Nothing is imported here: a board that speaks only MQTT pays for MQTT. (A lazy module __getattr__
would do too, but MicroPython then finds no submodule in `from . import name`.)
"""
