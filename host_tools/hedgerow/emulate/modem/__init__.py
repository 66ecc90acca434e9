"""A simulated cellular modem on a pseudo-terminal; see README.md."""
