"""Read stores: servers with copies of read models, for some of their questions."""
