"""When a day begins, also where clocks change at midnight."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from domain.days import start_of_day


@pytest.mark.parametrize(
    ("zone", "day", "begin"),
    [
        ("Europe/Berlin", date(2026, 3, 30), datetime(2026, 3, 29, 22, tzinfo=UTC)),
        # Clocks went from 00:00 to 01:00.
        (
            "America/Sao_Paulo",
            date(2017, 10, 15),
            datetime(2017, 10, 15, 3, tzinfo=UTC),
        ),
        # Clocks went from 01:00 to 00:00.
        ("America/Havana", date(2025, 11, 2), datetime(2025, 11, 2, 4, tzinfo=UTC)),
    ],
)
def test_a_day_begins_at_its_first_moment(
    zone: str, day: date, begin: datetime
) -> None:
    assert start_of_day(day, ZoneInfo(zone)) == begin
