"""What every driver is, as data: the checker, the compiler, the simulator and the docs read it.

    DRIVERS["ds18b20"]["channels"]   -> (("temp", "Cel", 100, -55, 125),)

Keys of one entry:
  module, class   where the driver is, below hedge.drivers
  kind            "sensor" (has read_into) or "actuator" (has on, off, poll)
  bus             what its first argument is, as in Board.bus: adc, i2c, onewire, output_pin
  params          {name: (type, default, min, max, doc)}: keyword arguments; type is "int", "bool"
                  or "str"; for "str", min and max are the allowed lengths
  channels        ((name, SenML unit, scale, min, max), ...) in the order of read_into's out;
                  out[i] = round(real value * scale); min and max are real values in that unit
  raw_bytes       bytes that one reading moves from the chip (2 for a 16-bit ADC word)
  convert_ms      longest wait between start() and a ready poll() with default parameters
  doc             one line

Data only: importable on the host, no imports, no logic. Units are those of RFC 8428 (SenML).
"""

_DAY_MS = 86400000

DRIVERS = {
    "soil_probe": {
        "module": "soil_probe",
        "class": "SoilProbe",
        "kind": "sensor",
        "bus": "adc",
        "doc": "Capacitive soil moisture probe (SEN0193 and its v1.2/v2.0 copies) on an ADC pin",
        "params": {
            "dry_mv": ("int", 2800, 1, 5000, "output at the dry calibration point, mV"),
            "wet_mv": ("int", 1200, 1, 5000, "output at the wet calibration point, mV"),
            "dry_pct": ("int", 0, 0, 100, "water content at the dry point, % by volume"),
            "wet_pct": ("int", 50, 0, 100, "water content at the wet point, % by volume"),
            "mid_mv": ("int", 0, 0, 5000, "output at an optional third point, mV; 0 is none"),
            "mid_pct": ("int", 0, 0, 100, "water content at the third point, % by volume"),
            "vref_mv": ("int", 3300, 1000, 5500, "ADC full scale where read_uv is missing, mV"),
        },
        "channels": (("vwc", "%", 100, 0, 100),),
        "raw_bytes": 2,
        "convert_ms": 0,
    },
    "ds18b20": {
        "module": "ds18b20",
        "class": "DS18B20",
        "kind": "sensor",
        "bus": "onewire",
        "doc": "Maxim/Analog Devices DS18B20 thermometer on a 1-Wire pin",
        "params": {
            "rom": ("str", "", 0, 16, "16 hex digits from family code to CRC; empty if alone"),
            "resolution_bits": ("int", 12, 9, 12, "9 to 12 bits: 94, 188, 375 or 750 ms"),
        },
        "channels": (("temp", "Cel", 100, -55, 125),),
        "raw_bytes": 9,
        "convert_ms": 750,
    },
    "bme280": {
        "module": "bme280",
        "class": "BME280",
        "kind": "sensor",
        "bus": "i2c",
        "doc": "Bosch BME280 air temperature, humidity and pressure",
        "params": {
            "addr": (
                "int",
                0x76,
                0x76,
                0x77,
                "I2C address: 118 (0x76) if SDO is low, 119 if high",
            ),
        },
        "channels": (
            ("temp", "Cel", 100, -40, 85),
            ("humidity", "%RH", 100, 0, 100),
            ("pressure", "Pa", 1, 30000, 110000),
        ),
        "raw_bytes": 8,
        "convert_ms": 10,
    },
    "battery": {
        "module": "battery",
        "class": "Battery",
        "kind": "sensor",
        "bus": "adc",
        "doc": "Battery voltage through a resistor divider on an ADC pin",
        "params": {
            "r_top_ohm": ("int", 100000, 0, 10000000, "resistor from battery to pin; 0 is none"),
            "r_bottom_ohm": ("int", 100000, 1, 10000000, "resistor from pin to ground"),
            "vref_mv": ("int", 3300, 1000, 5500, "ADC full scale where read_uv is missing, mV"),
        },
        "channels": (("voltage", "V", 1000, 0, 30),),
        "raw_bytes": 2,
        "convert_ms": 0,
    },
    "relay": {
        "module": "relay",
        "class": "Relay",
        "kind": "actuator",
        "bus": "output_pin",
        "doc": "Relay, valve or pump switched by one pin, off unless told, never on for too long",
        "params": {
            "active_high": ("bool", True, 0, 1, "False if a low level switches it on"),
            "max_on_ms": ("int", 600000, 100, _DAY_MS, "longest time on after one command, ms"),
        },
        "channels": (("on", "/", 1, 0, 1),),
        "raw_bytes": 0,
        "convert_ms": 0,
    },
}
