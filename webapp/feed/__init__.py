"""How other services follow the log: streams, and requests that wait for an event."""
