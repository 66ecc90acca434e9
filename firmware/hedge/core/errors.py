"""Errors a node handles by name.

HedgeError
  ConfigError    the compiled node file does not fit the board or the firmware
  SensorError    a sensor answered wrongly (CRC, range, stuck); OSError if it did not answer
  ModelError     a model file is damaged, too new, or does not fit its features
  StoreError     the log cannot take or give a record
  LinkError      the other end refused, fell silent or broke the protocol
  FrameError     bytes from outside are malformed: CBOR, SenML, frame, ack
"""


class HedgeError(Exception):
    """Base of all named errors."""


class ConfigError(HedgeError):
    """The compiled node file does not fit the board or the firmware."""


class SensorError(HedgeError):
    """A sensor answered, but wrongly."""


class ModelError(HedgeError):
    """A model file is damaged, too new, or does not fit its features."""


class StoreError(HedgeError):
    """The log cannot take or give a record."""


class LinkError(HedgeError):
    """The other end refused, fell silent or broke the protocol."""


class FrameError(HedgeError):
    """Bytes from outside are malformed."""
