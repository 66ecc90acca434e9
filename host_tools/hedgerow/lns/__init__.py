"""A small single-site LoRaWAN network server: `hedgerow lns`. See README.md."""

from hedgerow.lns import cryptolib_host

cryptolib_host.install()
