"""Host tools of Hedgerow: check, simulate, convert, gateway."""

__version__ = "0.1.0"
