"""AS923-1: RP002-1.0.4 section 2.10. The uplink dwell time of 400 ms is on until TXParamSetup."""

PLAN = {
    "name": "AS923",
    "low_hz": 915000000,
    "high_hz": 928000000,
    "rates": ((12, 125), (11, 125), (10, 125), (9, 125), (8, 125), (7, 125), (7, 250)),
    "max_payload": (51, 51, 115, 115, 242, 242, 242),
    "max_payload_dwell": (0, 0, 11, 53, 125, 242, 242),
    "dwell": True,
    "max_rate_up": 6,
    "join_rates": (5, 4, 3, 2),
    "default_rate_max": 5,
    "channels_hz": (923200000, 923400000),
    "rx2": (923200000, 2),
    "rx1_offset_max": 7,
    "rx1_offsets": (0, 1, 2, 3, 4, 5, -1, -2),
    "max_eirp_dbm": 16,
    "power_steps": 8,
    "duty": ((915000000, 928000000, 10),),
}
