"""Days, as the clocks of a place have them."""

from datetime import UTC, date, datetime, time, tzinfo


def start_of_day(day: date, zone: tzinfo) -> datetime:
    """
    Return when *day* began in *zone*, in UTC.

    If clocks went forward at midnight, there is no 00:00, and it is the time of the
    change. If there were two, it is the first.
    """
    return datetime.combine(day, time.min, zone).astimezone(UTC)
