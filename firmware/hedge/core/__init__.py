"""Errors, log and clock: what every other room may import."""
