"""Our own PostgreSQL, Redis and supervisor, for `./recount up`; never imported."""
