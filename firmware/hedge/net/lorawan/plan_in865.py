"""IN865-867: RP002-1.0.4 section 2.11. No duty cycle."""

PLAN = {
    "name": "IN865",
    "low_hz": 865000000,
    "high_hz": 867000000,
    "rates": ((12, 125), (11, 125), (10, 125), (9, 125), (8, 125), (7, 125)),
    "max_payload": (51, 51, 51, 115, 242, 242),
    "max_rate_up": 5,
    "join_rates": (5, 4, 5, 3, 5, 2, 1, 0),  # cheap ones between: many may join at once
    "default_rate_max": 5,
    "channels_hz": (865062500, 865402500, 865985000),
    "rx2": (866550000, 2),
    "rx1_offset_max": 7,
    "rx1_offsets": (0, 1, 2, 3, 4, 5, -1, -2),
    "max_eirp_dbm": 30,
    "power_steps": 11,
    "duty": (),
}
