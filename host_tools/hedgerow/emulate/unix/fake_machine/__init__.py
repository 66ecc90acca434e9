"""The parts of the simulated `machine` module, one hardware unit a file. See ../README.md."""
