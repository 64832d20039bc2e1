"""Rebuilds, measured: under load, in events a second, and row by row."""
