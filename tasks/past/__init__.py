"""Copies of the past: the process that fills them."""
