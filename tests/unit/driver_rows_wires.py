"""Battery rows of sensors on a wire of their own, and on SPI."""

from hedge.core.errors import SensorError


def _air(temp_c, humidity_pct):
    return (
        {"temp_c": temp_c, "humidity_pct": humidity_pct},
        (temp_c * 100, humidity_pct * 100),
    )


def _volts(*mv):
    return {"ch%d_mv" % i: mv[i] for i in range(8)}, mv


def _tagged(*uids):
    last = uids[0][-3:] if uids else b"\0\0\0"
    return {"tags": uids}, (1 if uids else 0, last[0] << 16 | last[1] << 8 | last[2])


def _other_version(chip):
    chip.version = 0x12
    chip.power_on()


def _left_on(chip):
    """Another program left the field on, with a CRC of the chip's and no timer."""
    chip._store(0x14, 0x83)
    chip._store(0x2A, 0x00)
    chip._store(0x12, 0x80)


_DHT_FAULTS = {"sum": SensorError, "short": SensorError, "silent": OSError}

ROWS = (
    {
        "driver": "dht22",
        "points": (_air(35.1, 65.2), _air(-40.0, 0.0), _air(80.0, 100.0), _air(-10.1, 33.3)),
        "tolerance": (0.5, 0.5),
        "examples": (  # DS 7.3
            (b"\x02\x8c\x01\x5f\xee", (3510, 6520)),
            (b"\x02\x8c\x80\x65\x73", (-1010, 6520)),
        ),
        "foreign": None,
        "faults": _DHT_FAULTS,
    },
    {
        "driver": "dht11",
        "points": (_air(24.4, 53.0), _air(-20.0, 5.0), _air(60.0, 95.0), _air(-10.1, 33.0)),
        "tolerance": (0.5, 0.5),
        "examples": ((b"\x35\x00\x18\x04\x51", (2440, 5300)),),  # DS: 53 %RH, 24.4 degC
        "foreign": None,
        "faults": _DHT_FAULTS,
    },
    {
        "driver": "mcp3008",
        "points": (
            _volts(1200.0, 0.0, 3297.0, 100.0, 200.0, 300.0, 400.0, 500.0),
            _volts(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
            _volts(3297.0, 3297.0, 3297.0, 3297.0, 3297.0, 3297.0, 3297.0, 3297.0),
            _volts(1650.0, 10.0, 20.0, 30.0, 3000.0, 2000.0, 1000.0, 4.0),
        ),
        "tolerance": (4,) * 8,
        # DS equation 4-2: half of VREF is code 512, full scale 1023.
        "examples": ((b"\x02\x00\x03\xff" + b"\x00\x00" * 6, (1650, 3297, 0)),),
        "foreign": None,
        "faults": {"stuck": None},
    },
    {
        "driver": "rc522",
        "points": (
            _tagged(b"\xde\xad\xbe\xef"),
            _tagged(b"\x04\x12\x34\x56\xff\xff\xff"),
            _tagged(),
        ),
        "tolerance": (0, 0),
        "examples": "test_driver_rc522.py has ISO's CRC examples",
        "foreign": _other_version,
        "disturb": _left_on,
        "faults": {"busy": None, "crc": SensorError, "leaves": SensorError},
    },
)
