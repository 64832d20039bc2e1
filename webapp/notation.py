"""How the shop's people write amounts, numbers, days and times."""

import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import (
    format_date,
    format_skeleton,
    format_time,
    get_datetime_format,
)

from domain.money import minor_digits
from tasks.shop.settings import Settings
from webapp.number_signs import ENGLISH, NumberSigns, signs_of

DAYS_OF_ENGLISH = "en_GB"
"""23 Nov 2026, 14:05: what everybody reads alike who reads English."""
ISOLATE, END_OF_ISOLATE = "\u2068", "\u2069"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notation:
    """
    The shop's currency, time zone and locale; the methods write as it does.

    Words stay English: the locale decides about signs, digits and the names of months.
    """

    currency: str
    timezone: ZoneInfo
    locale: str = ENGLISH

    @property
    def signs(self) -> NumberSigns:
        return signs_of(self.locale)

    def write_number(self, number: int) -> str:
        """Return a whole number: `1,265,793`."""
        return self.signs.write(Decimal(number), 0)

    def write_amount(self, amount: int, currency: str) -> str:
        """Return *amount* minor units without the name of the currency: `1,234.50`."""
        digits = minor_digits(currency)
        return self.signs.write(Decimal(amount).scaleb(-digits), digits)

    def write_money(self, amount: int, currency: str) -> str:
        """Return *amount* minor units with the name of the currency: `12.50 EUR`."""
        return f"{self.write_amount(amount, currency)} {currency}"

    def write_percent(self, part: Decimal | str) -> str:
        """Return the decimal fraction *part* as a percentage: `12.5 %`."""
        before, behind = self.signs.percent
        return f"{before}{self.write_percentage(part)}{behind}"

    def write_percentage(self, part: Decimal | str) -> str:
        """Return the decimal fraction *part* as a percentage without its sign."""
        percent = (Decimal(part) * 100).normalize()
        exponent = percent.as_tuple().exponent
        assert isinstance(exponent, int)
        return self.signs.write(percent, max(-exponent, 0))

    def write_day(self, day: date) -> str:
        """Return a day: `23 Nov 2026`."""
        return isolate(format_date(day, "medium", self.babel))

    def write_month(self, day: date) -> str:
        """Return the month of a day: `Nov 2026`."""
        return isolate(format_skeleton("yMMM", day, locale=self.babel))

    def write_moment(self, moment: datetime) -> str:
        """Return a moment by the shop's clocks: `23 Nov 2026, 14:05`."""
        shown = moment.astimezone(self.timezone)
        pattern = str(get_datetime_format("medium", self.babel)).replace("'", "")
        return isolate(
            pattern.replace("{1}", format_date(shown, "medium", self.babel)).replace(
                "{0}", format_time(shown, "short", locale=self.babel)
            )
        )

    def write_age(self, seconds: float) -> str:
        """Return a duration in its largest whole unit, in English: `3 hours`."""
        for unit, size in (("days", 86_400), ("hours", 3_600), ("min", 60)):
            if seconds >= 2 * size:
                return f"{self.write_number(int(seconds / size))} {unit}"
        return f"{seconds:.0f} s"

    @property
    def language(self) -> str:
        """The language of the words in days and times, like `de`."""
        return self.babel.language

    @property
    def babel(self) -> Locale:
        """The locale of days and times."""
        name = DAYS_OF_ENGLISH if self.locale == ENGLISH else self.locale
        return Locale.parse(name)


def notation_of(settings: Settings) -> Notation:
    """Return how the pages of the shop with these settings write and read values."""
    return Notation(
        currency=settings.currency,
        timezone=settings.timezone,
        locale=settings.locale,
    )


def plain_notation(settings: Settings) -> Notation:
    """
    Return how the command line of the shop writes, which is the same everywhere.

    Its lines are searched and compared, and not every terminal has all characters.
    """
    return Notation(currency=settings.currency, timezone=settings.timezone)


def isolate(text: str) -> str:
    """
    Return *text* so that words from right to left do not mix with what is beside it.

    The characters that do it are unseen; other texts have none.
    """
    if any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in text):
        return f"{ISOLATE}{text}{END_OF_ISOLATE}"
    return text
