"""The record log: interface first, storage follows."""

EVENTS = 0
TELEMETRY = 1
DIAG = 2


class Batch:
    """Consecutive records of one (boot, stream), from `seq`; `oldest` as the frame wants it."""

    def __init__(self, boot, stream, seq, oldest, records):
        self.boot = boot
        self.stream = stream
        self.seq = seq
        self.oldest = oldest
        self.records = records


class Store:
    def __init__(self, path, max_bytes=262144, segment_bytes=8192, keep_acked=False, flush=None):
        self.path = path
        self.boot = 0
        self.dropped = {}
        self.corrupt = 0
        self.torn = 0

    def open(self):
        raise NotImplementedError

    def append(self, stream, payload):
        raise NotImplementedError

    def ack(self, boot, stream, upto):
        raise NotImplementedError

    def pending(self, stream=None):
        raise NotImplementedError

    def reader(self):
        raise NotImplementedError

    def close(self):
        raise NotImplementedError
