"""The demonstration: the commands of an invented shop, sent to the API."""
