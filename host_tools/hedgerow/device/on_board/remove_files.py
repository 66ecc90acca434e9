"""Runs on the board: removes a file, or a folder with all in it."""

import os


def remove_files(path):
    if os.stat(path)[0] & 0x4000:
        for name in os.listdir(path):
            remove_files(path + "/" + name)
        os.rmdir(path)
    else:
        os.remove(path)
