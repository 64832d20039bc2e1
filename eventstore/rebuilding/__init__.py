"""Rebuilding: a new generation is filled, compared with the live one, and swapped."""
