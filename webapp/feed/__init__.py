"""The event feed of other services: streams, and requests that wait for an event."""
