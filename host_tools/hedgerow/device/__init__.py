"""Boards that are attached: find them, flash firmware, deploy code, watch it run."""
