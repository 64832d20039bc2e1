"""Logging: one line a fact, to standard error; the supervisor puts it in a file."""

import logging
import logging.config
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

# Lines of structlog and of the libraries have the same processors.
SHARED: list[Processor] = [
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
]


def log_to_stderr(level: str, form: str = "text") -> None:
    """
    Set up logging for this process; libraries log warnings and errors only.

    *form* is text, for people: time, level, logger, message and name=value; or json,
    for programs: an object a line.
    """
    last: list[Processor] = [as_text]
    if form == "json":
        last = [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "line": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": SHARED,
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        *last,
                    ],
                    # As text, a traceback follows its line; as JSON it is in it.
                    "keep_exc_info": form != "json",
                    "keep_stack_info": form != "json",
                }
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


def logger_of(name: str) -> structlog.stdlib.BoundLogger:
    """Return a logger whose lines have a message and facts by name."""
    logger: structlog.stdlib.BoundLogger = structlog.wrap_logger(
        logging.getLogger(name),
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    return logger


def as_text(_: Any, __: str, said: EventDict) -> str:
    """Return a line for people; values with spaces are quoted."""
    first = [str(said.pop("at")), str(said.pop("level")).upper(), said.pop("logger")]
    event = str(said.pop("event"))
    said.pop("exc_info", None)
    facts = [f"{name}={quote(value)}" for name, value in said.items()]
    return " ".join([*map(str, first), event, *facts])


def quote(value: object) -> str:
    text = str(value)
    return text if text and text.isprintable() and " " not in text else repr(text)
