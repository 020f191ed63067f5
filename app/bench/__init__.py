"""Benchmarks that print what they measured: `python -m app bench`."""
