"""Verification of the log: seals, versions, journal and snapshots."""
