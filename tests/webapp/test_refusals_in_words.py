"""Sentences that were written for programs, too, with amounts as on pages."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from webapp.notation import Notation
from webapp.refusals import say_amounts, say_refusal

GERMAN = Notation(currency="EUR", timezone=ZoneInfo("UTC"), locale="de")
ENGLISH = Notation(currency="EUR", timezone=ZoneInfo("UTC"))


def refusal(message: str, **figures: Any) -> dict[str, Any]:
    return {"rule": "PaymentTooHigh", "message": message, "figures": figures}


def test_a_refusal_has_its_amounts_in_the_shop_s_notation() -> None:
    error = refusal(
        "This order costs 1,107.49 EUR, of which 107.49 EUR is due; 0.05 EUR is more.",
        total=110_749,
        due=10_749,
        received=5,
    )

    assert say_refusal(error, GERMAN) == (
        "This order costs 1.107,49 EUR, of which 107,49 EUR is due; 0,05 EUR is more."
    )
    assert say_refusal(error, ENGLISH) == error["message"]


def test_a_refusal_keeps_what_is_none_of_its_figures() -> None:
    error = refusal("Of line 2, voucher of 5.00 EUR, 1500 are left.", line=2, left=1500)

    assert say_refusal(error, GERMAN) == error["message"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("far from 1,234.50 EUR", "far from 1.234,50 EUR"),
        ("far from 1,234 JPY", "far from 1.234 JPY"),
        ("far from 1.500 KWD", "far from 1,500 KWD"),
        ("far from 12.5 EUR", "far from 12.5 EUR"),
        ("12,34.50 EUR", "12,34.50 EUR"),
        ("order 12 and 5 PCS", "order 12 and 5 PCS"),
    ],
)
def test_only_amounts_in_full_are_said_otherwise(text: str, said: str) -> None:
    assert say_amounts(text, GERMAN) == said
