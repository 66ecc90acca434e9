"""Boards on cables, joined to an MQTT broker: `hedgerow bridge`."""
