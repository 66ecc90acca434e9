"""Simulated LoRa: the air between many devices and some gateways. See README.md."""
