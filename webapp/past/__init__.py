"""The shop as of a moment: lists, single rows, and what changed between two moments."""
