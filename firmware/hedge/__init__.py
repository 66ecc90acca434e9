"""Hedgerow on the board: sense, filter, infer, decide, store, uplink."""

VERSION = "0.1.0"
