"""Views and SQL functions for reports on the shop's tables, one a file."""
