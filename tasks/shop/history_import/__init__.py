"""Importing a shop's history: files to rows, rows to a plan, the plan to the log."""
