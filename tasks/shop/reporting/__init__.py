"""Views and stored functions for reports: SQL upon what the shop writes, one a file."""
