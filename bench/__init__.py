"""Measurements, each a command: bench/README.md."""
