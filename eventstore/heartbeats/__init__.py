"""The live processes, and what they know about the broker's queue."""
