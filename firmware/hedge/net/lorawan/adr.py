"""Adaptive data rate, the device's half: ask whether the network still hears, then step down.

Source: LoRaWAN L2 1.0.4 section 4.3.1.1; ADR_ACK_LIMIT and ADR_ACK_DELAY of RP002-1.0.4.
"""

ACK_LIMIT = 64
ACK_DELAY = 32


class Adr:
    """count: uplinks since the last downlink."""

    def __init__(self):
        self.count = 0

    def heard(self):
        """A downlink in a receive window shows that the network hears us."""
        self.count = 0

    def before_uplink(self):
        """Count a new uplink. True: set ADRACKReq."""
        self.count += 1
        return self.count > ACK_LIMIT

    def after_uplink(self, session, region):
        """Step down when due: here, so that the next payload is cut for the lower rate."""
        overdue = self.count - ACK_LIMIT
        if overdue > 0 and overdue % ACK_DELAY == 0:
            step_down(session, region)


def step_down(session, region):
    """More power first, then a lower rate, then every channel of the region."""
    if session.power:
        session.power = 0
        return
    lower = session.rate - 1
    if region.is_rate_up(lower, session.dwell):
        session.rate = lower
    else:
        session.nb_trans = 1
        session.channels.enable_defaults()
    session.keep_able_to_send()
