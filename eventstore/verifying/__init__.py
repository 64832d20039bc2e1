"""Whether the log is what it was: seals, versions, journal and snapshots are asked."""
