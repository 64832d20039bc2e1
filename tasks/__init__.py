"""What runs commands and keeps read models up to date: Celery, relay, wiring."""
