"""Sessions of PostgreSQL that are what the code relies on: pinned, checked, watched."""
