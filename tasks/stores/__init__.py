"""Read stores: servers that answer queries besides the shop's own database."""
