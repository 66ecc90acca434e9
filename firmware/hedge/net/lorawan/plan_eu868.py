"""EU863-870: RP002-1.0.4 section 2.4; duty cycle bands of ETSI EN 300 220-2 annex B."""

PLAN = {
    "name": "EU868",
    "low_hz": 863000000,
    "high_hz": 870000000,
    # data rate: (spreading factor, bandwidth kHz); DR7 is FSK, which the radio drivers lack
    "rates": ((12, 125), (11, 125), (10, 125), (9, 125), (8, 125), (7, 125), (7, 250)),
    "max_payload": (51, 51, 51, 115, 242, 242, 242),
    "max_rate_up": 6,
    "join_rates": (5, 4, 5, 3, 5, 2, 1, 0),  # cheap ones between: many may join at once
    "default_rate_max": 5,
    "channels_hz": (868100000, 868300000, 868500000),
    "rx2": (869525000, 0),
    "rx1_offset_max": 5,
    "rx1_offsets": (0, 1, 2, 3, 4, 5),
    "max_eirp_dbm": 16,
    "power_steps": 8,
    # (from Hz, to Hz, share in 1/1000)
    "duty": (
        (863000000, 865000000, 1),
        (865000000, 868000000, 10),
        (868000000, 868600000, 10),
        (868700000, 869200000, 1),
        (869400000, 869650000, 100),
        (869700000, 870000000, 10),
    ),
}
