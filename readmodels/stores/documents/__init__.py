"""Orders and customers as documents, found by conditions on any of their fields."""
