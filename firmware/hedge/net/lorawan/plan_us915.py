"""US902-928: RP002-1.0.4 section 2.5. 64 channels of 125 kHz, 8 of 500 kHz; no duty cycle."""

PLAN = {
    "name": "US915",
    "low_hz": 902000000,
    "high_hz": 928000000,
    "rates": ((10, 125), (9, 125), (8, 125), (7, 125), (8, 500), None, None, None)
    + ((12, 500), (11, 500), (10, 500), (9, 500), (8, 500), (7, 500)),
    "max_payload": (11, 53, 125, 242, 242, 0, 0, 0, 53, 129, 242, 242, 242, 242),
    "max_rate_up": 4,
    "join_rates": (0, 4),
    "default_rate_max": 3,
    # (first Hz, step Hz, channels, lowest rate, highest rate)
    "fixed": ((902300000, 200000, 64, 0, 3), (903000000, 1600000, 8, 4, 4)),
    "down": (923300000, 600000, 8),
    "rx2": (923300000, 8),
    "rx1_offset_max": 3,
    "rx1_base": 10,  # rate of RX1 = rate + this - offset, within 8..13
    "max_eirp_dbm": 30,
    "power_steps": 15,
    "duty": (),
}
