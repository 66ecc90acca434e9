"""Battery rows of thermometers, hygrometers and barometers."""

from hedge.core.errors import SensorError
from hedgerow.emulate.chips import bme280


def air(temp_c, humidity_pct):
    return (
        {"temp_c": temp_c, "humidity_pct": humidity_pct},
        (temp_c * 100, humidity_pct * 100),
    )


def warmth(temp_c, scale=100):
    return ({"temp_c": temp_c}, (temp_c * scale,))


_AIR_125 = (air(25.0, 50.0), air(-40.0, 0.0), air(125.0, 100.0), air(3.21, 67.8))
_CRC = {"nack": OSError, "bus": OSError, "crc": SensorError}


def _wrong_serial(chip):
    chip.answer = lambda: b"\x01\x02\x03\x04\x05\x06"


def _heats_for_ever(chip):
    chip.power_on()
    chip.status = 0x2000
    chip.power_on = lambda: None


def _periodic_and_hot(chip):
    chip.status |= 0x2000
    chip._period_ms = 100


def _uncalibrated(chip):
    chip.calibrates = False


def _is_bme280(chip):
    chip._regs[0xD0] = 0x60


def _filtered(chip):
    chip._regs[0xF5] = 0x1C
    chip._regs[0xF4] = 0xFF


def _trim_bmp280(sensor):
    sensor.set_trimming(bme280.pack_trimming(bme280.TRIM_T, bme280.TRIM_P, bme280.TRIM_H)[0][:24])


def _is_tmp116(chip):
    chip.words[0x0F] = 0x1116


def _shut_down(chip):
    chip.words[1] = 0x0460
    chip._done_ms = None


def _is_mcp9804(chip):
    chip.words[7] = 0x0201


def _asleep(chip):
    chip.words[1] |= 0x0100
    chip.words[8] = 0


def _lm75_asleep(chip):
    chip.words[1] = 0x01


def _coarse(chip):
    chip.user = 0x83


def _is_si7021(chip):
    chip.USER = 0x3B


def _is_si7020(chip):
    chip.snb3 = 0x14


_STUCK = {"nack": OSError, "bus": OSError, "stuck": None}

ROWS = (
    {
        "driver": "sht4x",
        "points": _AIR_125,
        "tolerance": (1, 1),
        "examples": (  # CRC(0xBEEF) = 0x92: DS 4.4; values by its formulas, 4.6
            (b"\xbe\xef\x92\xbe\xef\x92", (8552, 8723)),
            (b"\x66\x66\x93\x80\x00\xa2", (2500, 5650)),
        ),
        "foreign": _wrong_serial,
        "faults": _CRC,
    },
    {
        "driver": "sht3x",
        "points": _AIR_125,
        "tolerance": (1, 1),
        "examples": (  # CRC(0xBEEF) = 0x92: DS table 20; values by its formulas, 4.13
            (b"\xbe\xef\x92\xbe\xef\x92", (8552, 7458)),
            (b"\x66\x66\x93\x80\x00\xa2", (2500, 5000)),
            (b"\x5e\xb8\x0d\x9c\x28\x47", (1975, 6100)),
        ),
        "foreign": _heats_for_ever,
        "disturb": _periodic_and_hot,
        "faults": _CRC,
    },
    {
        "driver": "aht20",
        "points": (air(25.0, 50.0), air(-40.0, 0.0), air(85.0, 100.0), air(3.21, 67.8)),
        "tolerance": (1, 1),
        "examples": (
            # Recorded on chips: github.com/bilbobg/aht20, peff74/ESP_AHT20_BMP280.
            (b"\x1c\x3b\x5e\x86\x88\xb2\xd2", (3167, 2319)),
            (b"\x18\x93\xac\x95\x2a\xc5\xb3", (1459, 5769)),
        ),
        "foreign": _uncalibrated,
        "faults": {
            "nack": OSError,
            "bus": OSError,
            "crc": SensorError,
            "busy": SensorError,
            "slow": None,
        },
    },
    {
        "driver": "bmp280",
        "points": tuple(
            ({"temp_c": t, "pressure_pa": p}, (t * 100, p))
            for t, p in ((25.08, 100653.0), (-40.0, 30000.0), (85.0, 110000.0), (0.0, 101325.0))
        ),
        "tolerance": (1, 2),
        "examples": ((b"\x65\x5a\xc0\x7e\xed\x00", (2508, 100653)),),  # DS 3.12
        "prepare": _trim_bmp280,
        "foreign": _is_bme280,
        "disturb": _filtered,
        "faults": {
            "busy": SensorError,
            "stuck": None,
            "slow": None,
            "nack": OSError,
            "bus": OSError,
            "blank": None,
        },
    },
    {
        "driver": "tmp117",
        "points": (
            warmth(25.0, 1000),
            warmth(-55.0, 1000),
            warmth(150.0, 1000),
            warmth(-0.125, 1000),
        ),
        "tolerance": (4,),
        "examples": (  # SNOSD82D table 7-1
            (b"\xf3\x80", (-25000,)),
            (b"\xff\xf0", (-125,)),
            (b"\xff\xff", (-8,)),
            (b"\x00\x00", (0,)),
            (b"\x00\x10", (125,)),
            (b"\x0c\x80", (25000,)),
            (b"\x32\x00", (100000,)),
        ),
        "foreign": _is_tmp116,
        "disturb": _shut_down,
        "faults": {"nack": OSError, "bus": OSError, "busy": SensorError},
    },
    {
        "driver": "mcp9808",
        "points": (warmth(25.25), warmth(-40.0), warmth(125.0), warmth(-0.0625)),
        "tolerance": (1,),
        "examples": ((b"\xc1\x94", (2525,)),),  # DS figure 5-5
        "foreign": _is_mcp9804,
        "disturb": _asleep,
        "faults": _STUCK,
    },
    {
        "driver": "lm75",
        "points": (warmth(25.0), warmth(-55.0), warmth(125.0), warmth(-0.5)),
        "tolerance": (1,),
        "examples": (  # DS table 10, those of 0.5 degC
            (b"\x7d\x00", (12500,)),
            (b"\x19\x00", (2500,)),
            (b"\x00\x00", (0,)),
            (b"\xe7\x00", (-2500,)),
            (b"\xc9\x00", (-5500,)),
        ),
        "foreign": None,
        "disturb": _lm75_asleep,
        "faults": _STUCK,
    },
    {
        "driver": "lm75",
        "variant": "b",
        "args": {"resolution_bits": 11},
        "points": (warmth(25.125), warmth(-55.0), warmth(125.0), warmth(-0.125)),
        "tolerance": (1,),
        "examples": (  # DS table 10
            (b"\x7e\xe0", (12500,)),
            (b"\x00\x20", (13,)),
            (b"\xff\xe0", (-12,)),
            (b"\xc9\x20", (-5487.5,)),
        ),
        "foreign": None,
        "faults": _STUCK,
    },
    {
        "driver": "htu21d",
        "points": _AIR_125,
        "tolerance": (1, 2),
        # DS, CRC examples: 0x683A has 0x7C, 0x4E85 has 0x6B; values by its formulas
        "examples": ((b"\x68\x3a\x7c\x4e\x85\x6b", (2469, 3234)),),
        "foreign": _is_si7021,
        "disturb": _coarse,
        "faults": _CRC,
    },
    {
        "driver": "si7021",
        "points": _AIR_125,
        "tolerance": (1, 2),
        "examples": ((b"\x68\x3a\x7c\x4e\x85\x6b", (2469, 3234)),),  # as HTU21D
        "foreign": _is_si7020,
        "disturb": _coarse,
        "faults": _CRC,
    },
)
