"""Which processes live, and what they know of the broker's queue."""
