"""The rules of the shop: pure functions over commands and events, and nothing else."""
