"""Drains the store over one link and forgets a record only once the gateway has committed it.

    uplink = Uplink(link, store, "bed-3")
    task = asyncio.create_task(uplink.run())
    store.append(stream, payload)
    uplink.wake()
"""


class Uplink:
    """Signatures are final; the loop follows.

    on_link(up: bool, reason: str): called on each change of the link, from the uplink's task.
    on_clock(before_s: int, after_s: int): called after the gateway's time corrected the device's.
    Counters (ints, only grow): sessions, outages, frames_sent, records_sent, acked, retransmits,
    ack_timeouts, bad_acks, clock_jumps, generation_changes; bytes_sent is the link's.
    up: bool, a session is open. generation: of the last ack, None before the first.
    """

    def __init__(
        self,
        link,
        store,
        device,
        key=None,
        window=8,
        ack_timeout_ms=10000,
        retry_min_ms=500,
        retry_max_ms=60000,
        max_frame_bytes=200,
        on_link=None,
        on_clock=None,
        set_clock=True,
    ):
        self.up = False

    async def run(self):
        """Loop until cancelled. A lost, refused or silent peer ends a session, not the task."""
        raise NotImplementedError

    def wake(self):
        """New records were appended; cheap, for task code (not for interrupts)."""
        raise NotImplementedError

    def stats(self):
        """dict of the counters above, bytes_sent and up."""
        raise NotImplementedError
