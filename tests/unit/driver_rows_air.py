"""Battery rows of CO2 and air quality sensors."""

from hedge.core.errors import SensorError
from hedgerow.emulate.chips import ens160


def _co2(ppm, temp_c, humidity_pct):
    return (
        {"co2_ppm": ppm, "temp_c": temp_c, "humidity_pct": humidity_pct},
        (ppm, temp_c * 100, humidity_pct * 100),
    )


def _estimate(ppm, ppb):
    return {"eco2_ppm": ppm, "tvoc_ppb": ppb}, (ppm, ppb)


def _quality(aqi, ppb, ppm):
    return {"aqi": aqi, "tvoc_ppb": ppb, "eco2_ppm": ppm}, (aqi, ppb, ppm)


def _no_serial(chip):
    chip.answer = lambda: b"\x12\x34\x56\x78\x9a\xbc\xde\xf0\x12"


def _measures_already(chip):
    chip._next_ms = chip._now_ms() + 100


def _broken_plate(chip):
    chip.plate_ok = False


def _is_other_gas_sensor(chip):
    chip.hw_id = 0x82


def _runs_slowly(chip):
    chip._runs, chip._mode = True, 0x30


def _is_ens161(chip):
    chip.part_id = 0x0161


def _warm_ens160(now_ms):
    chip = ens160.ENS160(now_ms)
    chip.warm_ms = 0
    return chip


def _broken_version(chip):
    chip._words = lambda data: bytes(data) + b"\x00"


def _is_other_product(chip):
    chip.product = b"00070000"


def _dust(pm1, pm2_5, pm4, pm10):
    inputs = {"pm1_ugm3": pm1, "pm2_5_ugm3": pm2_5, "pm4_ugm3": pm4, "pm10_ugm3": pm10}
    return inputs, (pm1 * 10, pm2_5 * 10, pm4 * 10, pm10 * 10)


def _deep_sleep(chip):
    chip.regs[0x10] = 0


# "nack": None where a running chip is only read.
ROWS = (
    {
        "driver": "scd4x",
        "points": (
            _co2(500, 25.0, 37.0),
            _co2(0, -10.0, 0.0),
            _co2(40000, 60.0, 100.0),
            _co2(1234, 3.21, 67.8),
        ),
        "tolerance": (0, 1, 1),
        # DS 3.5.2: 500 ppm, 25 degC, 37 %RH
        "examples": ((b"\x01\xf4\x33\x66\x67\xa2\x5e\xb9\x3c", (500, 2500, 3700)),),
        "foreign": _no_serial,
        "disturb": _measures_already,
        "faults": {"nack": OSError, "bus": OSError, "crc": SensorError, "busy": SensorError},
    },
    {
        "driver": "sgp40",
        "points": (
            ({"raw": 30000}, (30000,)),
            ({"raw": 0}, (0,)),
            ({"raw": 65535}, (65535,)),
        ),
        "tolerance": (0,),
        "examples": ((b"\xbe\xef\x92", (0xBEEF,)),),  # CRC(0xBEEF) = 0x92: DS 4.4
        "foreign": _broken_plate,
        "faults": {"nack": OSError, "bus": OSError, "crc": SensorError},
    },
    {
        "driver": "ccs811",
        "points": (
            _estimate(600, 30),
            _estimate(400, 0),
            _estimate(32768, 32768),
        ),
        "tolerance": (0.5, 0.5),
        "examples": "the datasheet prints none",
        "foreign": _is_other_gas_sensor,
        "disturb": _runs_slowly,
        "faults": {"nack": None, "bus": OSError, "busy": SensorError, "heater": SensorError},
    },
    {
        "driver": "ens160",
        "make_chip": _warm_ens160,
        "points": (
            _quality(2, 120, 700),
            _quality(1, 0, 400),
            _quality(5, 65000, 65000),
        ),
        "tolerance": (0, 0.5, 0.5),
        "examples": "the datasheet prints none",
        "foreign": _is_ens161,
        "disturb": _deep_sleep,
        "faults": {"nack": None, "bus": OSError, "busy": SensorError, "error": SensorError},
    },
    {
        "driver": "scd30",
        "points": (
            _co2(439, 27.2, 48.8),
            _co2(0, -40.0, 0.0),
            _co2(40000, 70.0, 100.0),
            _co2(1234, -0.05, 67.8),
        ),
        "tolerance": (0.5, 1, 1),
        "examples": (  # DS 1.5: 439 ppm, 27.2 degC, 48.8 %RH
            (
                b"\x43\xdb\xcb\x8c\x2e\x8f\x41\xd9\x70\xe7\xff\xf5\x42\x43\xbf\x3a\x1b\x74",
                (439, 2724, 4881),
            ),
        ),
        "foreign": _broken_version,
        "faults": {"nack": OSError, "bus": OSError, "crc": SensorError, "busy": SensorError},
    },
    {
        "driver": "sps30",
        "points": (
            _dust(3.1, 12.5, 14.0, 15.2),
            _dust(0.0, 0.0, 0.0, 0.0),
            _dust(1000.0, 1000.0, 1000.0, 1000.0),
            _dust(0.1, 0.2, 0.3, 999.9),
        ),
        "tolerance": (0.5, 0.5, 0.5, 0.5),
        "examples": "the datasheet prints none; the floats are those of the SCD30",
        "foreign": _is_other_product,
        "faults": {"nack": OSError, "bus": OSError, "crc": SensorError, "busy": SensorError},
    },
)
