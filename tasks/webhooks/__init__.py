"""Webhooks: the events of the log, sent to other services as signed requests."""
