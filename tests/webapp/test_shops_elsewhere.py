"""Shops whose months have other names, or whose script runs from right to left."""

from dataclasses import replace

import pytest

from tasks.shop.settings import Settings
from tests.support.settings import settings_for
from tests.support.visiting import Browser, Place
from webapp.notation import END_OF_ISOLATE, ISOLATE

MONTHS = {
    "fr_FR": "avr.",
    "he_IL": "\u05d0\u05e4\u05e8\u05f3",
    "hi_IN": "\u0905\u092a\u094d\u0930\u0948\u0932",
}


@pytest.fixture(params=MONTHS)
def settings(request: pytest.FixtureRequest, database: str) -> Settings:
    return replace(settings_for(database), locale=request.param)


def test_the_name_of_a_month_is_marked_as_not_english(
    browser: Browser, place: Place, alice: str, settings: Settings
) -> None:
    number = place(required_date="2031-04-03")
    page = browser.see(f"/orders/{number}")
    language = settings.locale.partition("_")[0]

    assert MONTHS[settings.locale] in page
    assert f'<time datetime="2031-04-03"><span lang="{language}">' in page
    assert '<html lang="en">' in page
    assert (ISOLATE in page) == (END_OF_ISOLATE in page) == (language == "he")
