"""Runs on the board: what a folder holds, as JSON."""

import json
import os


def list_files(folder):
    found = []
    for name in sorted(os.listdir(folder)):
        stat = os.stat(folder.rstrip("/") + "/" + name)
        found.append([name, None if stat[0] & 0x4000 else stat[6]])
    print(json.dumps(found))
