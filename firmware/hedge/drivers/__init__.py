"""One chip a file; the bus is passed in; readings are integers. See README.md."""
