"""Streams carried from one log to another: out of production, to a developer."""
