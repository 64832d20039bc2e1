"""Logging: one line a fact, to standard error; whoever starts us puts it in a file."""

import logging
import logging.config


def log_to_stderr(level: str) -> None:
    """Set up logging for this process; the libraries speak when something is wrong."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}
            },
            "handlers": {
                "stderr": {"class": "logging.StreamHandler", "formatter": "line"}
            },
            "root": {"handlers": ["stderr"], "level": level},
            "loggers": {
                "celery.app.trace": {"level": "WARNING"},
                "celery.worker.strategy": {"level": "WARNING"},
                "celery.beat": {"level": "WARNING"},
            },
        }
    )
