"""The demo: an invented shop, as a history to import or as live commands."""
