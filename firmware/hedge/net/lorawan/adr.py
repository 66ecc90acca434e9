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
        """Any valid downlink shows that the network hears us."""
        self.count = 0

    def before_uplink(self, session, region):
        """Count a new uplink, step down when due. True: set ADRACKReq."""
        asks = self.count >= ACK_LIMIT
        overdue = self.count - ACK_LIMIT
        if asks and overdue and overdue % ACK_DELAY == 0:
            step_down(session, region)
        self.count += 1
        return asks


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
    if not session.channels.usable(session.rate):
        session.channels.enable_defaults()
