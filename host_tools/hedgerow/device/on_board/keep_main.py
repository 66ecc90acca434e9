"""Keeps a main.py that is not ours under another name. Runs on the board, in the raw REPL."""

import os

with open("/main.py") as file:
    ours = "hedge_boot" in file.read()
if not ours:
    os.rename("/main.py", "/main.before.py")
