"""A moment of the past, as people write it."""

from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def moment_in(text: str, zone: ZoneInfo) -> datetime:
    """
    Return the moment that *text* means, in UTC.

    A date is its end, and a time without a zone is one of *zone*: where the shop is.
    Raises ValueError for what is neither, or lies beyond the calendar.
    """
    try:
        with suppress(ValueError):
            return end_of(date.fromisoformat(text), zone)
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("beyond the calendar") from error


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """Return the last moment of *day* that PostgreSQL can tell from the next day."""
    next_day = datetime.combine(day + timedelta(days=1), time.min, zone)
    # Counted in UTC: a clock may be set just at midnight.
    return next_day.astimezone(UTC) - timedelta(microseconds=1)
