"""What a program says of itself in the log: names, positions and errors, no data."""

import logging
import traceback
from collections.abc import Sequence

from eventstore.errors import cause_of
from eventstore.errors.text import error_text
from eventstore.journal.runner import FinishedCommand
from eventstore.subscriptions.lag import SubscriptionLag

log = logging.getLogger("eventstore.runtime")


def say_away(name: str, error: Exception, seconds: float) -> None:
    reason = error_text(error).strip().partition("\n")[0]
    log.warning("%s: no database, again in %.1f s: %s", name, seconds, reason)


def say_back(name: str) -> None:
    log.info("%s: the database is back", name)


def say_stopped(name: str, error: Exception) -> None:
    """Log that a reader of the log stands still, and the line of code that raised."""
    log.error("%s stands still: %s%s", name, error_text(error), place_of(error))


def say_goes_on(name: str, checkpoint: int) -> None:
    log.info("%s goes on, at %d", name, checkpoint)


def say_outdated(name: str) -> None:
    log.error("%s stands still, made from another definition: rebuild it", name)


def say_finished(command: FinishedCommand) -> None:
    """Log a command: one that has failed met a bug, a refused one met a rule."""
    level = logging.ERROR if command.status == "failed" else logging.DEBUG
    log.log(
        level,
        "%s of %s %s%s",
        command.type,
        command.stream_id,
        command.status,
        f": {command.why}" if command.why else "",
    )


def log_lags(lags: Sequence[SubscriptionLag]) -> None:
    """Log a line for each reader of the log that stands still, with the reason."""
    for lag in lags:
        if lag.standstill is not None:
            error = "" if lag.error is None else f": {lag.error.get('error')}"
            log.warning(
                "%s stands still, %d positions behind: %s%s",
                lag.name,
                lag.lag,
                lag.standstill.because,
                error,
            )


def place_of(error: Exception) -> str:
    """Return where *error* was raised, as ` (desk.py:120 in fold)`."""
    frames = traceback.extract_tb(cause_of(error).__traceback__)
    if not frames:
        return ""
    last = frames[-1]
    return f" ({last.filename.rpartition('/')[2]}:{last.lineno} in {last.name})"
