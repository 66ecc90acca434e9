"""Battery rows of the motion sensors: MPU-6050, LIS3DH, ADXL345, LSM6DSO, LIS3MDL."""

from hedge.core.errors import SensorError

# "nack" refuses what is written; once configured these chips are only read.
_FAULTS = {"nack": None, "bus": OSError, "busy": SensorError, "stuck": None}


def _foreign(reg):
    def change(chip):
        chip.regs[reg] = 0x71

    return change


def _leave(*pairs):
    """disturb: registers as another program may have left them."""

    def change(chip):
        for reg, value in pairs:
            chip.store(reg, value)

    return change


def _moved(*mps2):
    return {"accel_mps2": mps2}, tuple([a * 1000 for a in mps2])


def _turned(mps2, rps, temp_c):
    inputs = {"accel_mps2": mps2, "gyro_rps": rps, "temp_c": temp_c}
    milli = [v * 1000 for v in mps2 + rps]
    return inputs, tuple(milli + [temp_c * 100])


_MPU6050 = {
    "driver": "mpu6050",
    "examples_within": 1,
    # DS 6.1 to 6.3: 16384 LSB/g, 131 LSB/(deg/s) and -521 at 35 degC; 1 deg/s is 17.45 mrad/s.
    "examples": (
        (
            b"\x40\x00\xc0\x00\x00\x00\xfd\xf7\x00\x83\xff\x7d\x00\x00",
            (9807, -9807, 0, 17, -17, 0, 3500),
        ),
    ),
    "foreign": _foreign(0x75),
    "disturb": _leave((0x6B, 0), (0x19, 199), (0x1A, 6), (0x1C, 0x18), (0x23, 0x78)),
    "faults": _FAULTS,
}
_LIS3DH = {
    "driver": "lis3dh",
    "foreign": _foreign(0x0F),
    "disturb": _leave((0x23, 0x30), (0x21, 0x88), (0x24, 0x40), (0x20, 0x2F)),
    "faults": _FAULTS,
}

_LSM6DS = {
    "driver": "lsm6ds",
    "foreign": _foreign(0x0F),
    "disturb": _leave((0x10, 0x5C), (0x11, 0x62), (0x12, 0x00)),
    "faults": _FAULTS,
}
_LIS3MDL = {
    "driver": "lis3mdl",
    "foreign": _foreign(0x0F),
    "disturb": _leave((0x20, 0x90), (0x23, 0x02), (0x24, 0x80), (0x22, 0x20)),
    "faults": _FAULTS,
}


def _field(*tesla):
    return {"field_t": tesla}, tuple([t * 1e9 for t in tesla])


ROWS = (
    dict(
        _MPU6050,
        variant="_wide",
        args={"range_g": 16, "range_dps": 2000},
        examples="scale factors are the narrow ranges'",
        points=(
            _turned((1.0, -2.5, 9.81), (0.5, -0.25, 3.0), 23.4),
            _turned((156.9, 156.9, -156.9), (34.9, -34.9, 34.9), -40.0),
            _turned((-156.9, -156.9, 156.9), (-34.9, 34.9, -34.9), 85.0),
        ),
        tolerance=(6, 6, 6, 2, 2, 2, 1),
    ),
    dict(
        _MPU6050,
        partial_range="the default ranges are the narrow ones",
        points=(
            _turned((0.123, -0.456, 9.807), (0.0, 1.0, -1.0), 25.0),
            _turned((19.6, -19.6, 0.0), (4.36, -4.36, 0.0), 0.0),
            _turned((-19.6, 19.6, 1.0), (-4.36, 4.36, 0.01), 60.0),
        ),
        tolerance=(1, 1, 1, 1, 1, 1, 1),
    ),
    dict(
        _LIS3DH,
        variant="_wide",
        args={"range_g": 16},
        examples="application note AN3308 has them for 2 g",
        points=(
            _moved(0.1, -1.0, 9.8),
            _moved(156.9, 156.9, -156.9),
            _moved(-156.9, -156.9, 156.9),
        ),
        tolerance=(60, 60, 60),
    ),
    dict(
        _LIS3DH,
        partial_range="the default range is the narrow one",
        # ST AN3308 table "Output data registers content vs. acceleration": 350 mg is 0x15E0.
        examples=((b"\xe0\x15\x20\xea\x00\x00", (3432, -3432, 0)),),
        points=(
            _moved(0.1, -1.0, 9.8),
            _moved(19.6, -19.6, 0.02),
            _moved(-19.6, 19.6, 1.0),
        ),
        tolerance=(6, 6, 6),
    ),
    {
        "driver": "adxl345",
        "examples_within": 1,
        "points": (
            _moved(0.1, -1.0, 9.81),
            _moved(156.9, 156.9, -156.9),
            _moved(-156.9, -156.9, 156.9),
        ),
        "tolerance": (40, 40, 40),
        # DS table 1: 256 LSB/g in full resolution at every range.
        "examples": ((b"\x00\x01\x00\xff\x00\x00", (9807, -9807, 0)),),
        "foreign": _foreign(0x00),
        "disturb": _leave((0x31, 0x01), (0x1F, 0x40), (0x38, 0x80), (0x2C, 0x16), (0x2D, 0x28)),
        "faults": _FAULTS,
    },
    dict(
        _LSM6DS,
        variant="_wide",
        args={"range_g": 16, "range_dps": 2000},
        examples="table 2 has the steps; those of the narrow ranges are below",
        points=(
            _turned((1.0, -2.5, 9.81), (0.5, -0.25, 3.0), 23.4),
            _turned((156.8, 156.8, -156.8), (40.03, -40.03, 40.03), -40.0),
            _turned((-156.8, -156.8, 156.8), (-40.03, 40.03, -40.03), 85.0),
        ),
        tolerance=(6, 6, 6, 2, 2, 2, 1),
    ),
    dict(
        _LSM6DS,
        partial_range="the default ranges are the narrow ones",
        # DS table 2: 0.061 mg and 8.75 mdps a digit, 256 digits a degC: 1 g, 100 deg/s, 16 degC.
        examples=(
            (
                b"\x00\xf7\xa4\x2c\x5c\xd3\x00\x00\x09\x40\xf7\xbf\x00\x00",
                (9806, -9806, 0, 1745, -1745, 0, 1600),
            ),
        ),
        examples_within=1,
        points=(
            _turned((0.123, -0.456, 9.807), (0.0, 1.0, -1.0), 25.0),
            _turned((19.6, -19.6, 0.0), (4.36, -4.36, 0.0), 0.0),
            _turned((-19.6, 19.6, 1.0), (-4.36, 4.36, 0.01), 60.0),
        ),
        tolerance=(1, 1, 1, 1, 1, 1, 1),
    ),
    dict(
        _LIS3MDL,
        variant="_wide",
        args={"range_gauss": 16},
        examples="the gains of the narrow range are below",
        points=(
            _field(20e-6, -0.5e-6, -43e-6),
            _field(0.0016, 0.0016, -0.0016),
            _field(-0.0016, -0.0016, 0.0016),
        ),
        tolerance=(60, 60, 60),
    ),
    dict(
        _LIS3MDL,
        partial_range="the default range is the narrow one",
        examples=((b"\xba\x1a\x46\xe5\x00\x00", (100000, -100000, 0)),),  # DS: 6842 a gauss
        examples_within=3,
        points=(
            _field(20e-6, -0.5e-6, -43e-6),
            _field(0.0004, -0.0004, 0.0),
            _field(-0.0004, 0.0004, 1e-6),
        ),
        tolerance=(20, 20, 20),
    ),
)
