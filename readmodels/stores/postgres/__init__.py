"""Copies of all read models in a second PostgreSQL, under the names of their views."""
