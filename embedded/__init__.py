"""Our own PostgreSQL, Redis and supervisor, for `./recount up`; nobody imports it."""
