"""The demonstration: an invented shop, and what its API is told of it."""
