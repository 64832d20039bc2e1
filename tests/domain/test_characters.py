"""Which characters a name may have: what is seen and needed, in every script."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.characters import problem_with
from domain.customers.commands import RegisterCustomer
from domain.errors import InvalidInput
from domain.input import parse
from domain.orders.commands import CancelOrder, PlaceOrder, ShipOrder

ACCEPTED = [
    "Alice",
    "O\u2019Brien",
    "Jos\u00e9",
    "Jose\u0301",
    "\u5317\u4eac",
    "\u845b\U000e0100\u57ce",
    "\uae40\ucca0\uc218",
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "\u0647\u200d.",
    "\u0938\u0940\u0924\u093e",
    "\u0915\u094d\u200d\u0937",
    "\u0d28\u0d28\u0d4d\u200d",
    "\u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd",
    "\u0645\u064f\u062d\u064e\u0645\u0651\u064e\u062f",
    "\u1797\u17d2\u1793\u17c6\u200b\u1796\u17c1\u1789",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\U0001f3f3\ufe0f\u200d\U0001f308",
    "\U0001f937\U0001f3fd\u200d\u2640\ufe0f",
    "1\ufe0f\u20e3",
    "5\u00a0Avenue",
    "-",
]

UNSEEN_ALONE = [
    "\u200b",
    "\u200c",
    "\u200d",
    "\u2060",
    "\ufeff",
    "\u00ad",
    "\u034f",
    "\u061c",
    "\u115f",
    "\u1160",
    "\u17b4",
    "\u180e",
    "\u2800",
    "\u3164",
    "\uffa0",
    "\ufe0f",
    "\u0301\u0302",
    "\u200b \u2060",
    "\U000e0020",
    "\U000e0100",
]

NAMED = [
    ("a\tb", "U+0009 CHARACTER TABULATION at position 2"),
    ("a\nb", "U+000A LINE FEED at position 2"),
    ("ab\x07", "U+0007 a control character at position 3"),
    ("a\x9bb", "U+009B a control character at position 2"),
    ("Ali\u200bce", "U+200B ZERO WIDTH SPACE at position 4"),
    ("Ali\u200dce", "U+200D ZERO WIDTH JOINER at position 4"),
    ("Ali\u00adce", "U+00AD SOFT HYPHEN at position 4"),
    ("Ali\u3164ce", "U+3164 HANGUL FILLER at position 4"),
    ("gpj.\u202eexe", "U+202E RIGHT-TO-LEFT OVERRIDE at position 5"),
    ("\u200eAlice", "U+200E LEFT-TO-RIGHT MARK at position 1"),
    ("a\u2066b\u2069", "U+2066 LEFT-TO-RIGHT ISOLATE at position 2"),
    ("a\u2028b", "U+2028 LINE SEPARATOR at position 2"),
    ("a\u2029b", "U+2029 PARAGRAPH SEPARATOR at position 2"),
    ("\ue000x", "U+E000 a character of private use at position 1"),
    ("x\uffff", "U+FFFF which is no character at position 2"),
    ("x\U000e0041", "U+E0041 TAG LATIN CAPITAL LETTER A at position 2"),
    ("x\ufe0f\ufe0f", "U+FE0F VARIATION SELECTOR-16 at position 3"),
    ("\u0e01\u200c\u200c\u0e02", "U+200C ZERO WIDTH NON-JOINER at position 3"),
]


@pytest.mark.parametrize("text", ACCEPTED)
def test_what_is_written_in_any_script_is_accepted(text: str) -> None:
    assert problem_with(text) is None


@pytest.mark.parametrize("text", UNSEEN_ALONE)
def test_what_cannot_be_seen_is_no_name(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse(RegisterCustomer, {"name": text})


@pytest.mark.parametrize(("text", "named"), NAMED)
def test_what_misleads_is_refused_and_named(text: str, named: str) -> None:
    assert problem_with(text) == f"must not contain {named}"


def test_a_reason_may_have_several_lines() -> None:
    reason = "late\r\n\ttwice"

    assert parse(CancelOrder, {"order_id": 1, "reason": reason}).reason == reason


@pytest.mark.parametrize("field", ["name", "contact_name", "email", "phone"])
def test_every_text_of_a_customer_is_looked_at(field: str) -> None:
    with pytest.raises(InvalidInput, match=r"U\+202E"):
        parse(RegisterCustomer, {"name": "Alice", field: "a\u202e@b.c"})


@pytest.mark.parametrize(
    ("message", "data"),
    [
        (ShipOrder, {"order_id": 1, "tracking_no": "1Z\u202e9"}),
        (CancelOrder, {"order_id": 1, "reason": "no\u202e!"}),
        (
            PlaceOrder,
            {
                "customer_id": "ALICE",
                "currency": "EUR",
                "items": [{"product": "CHAI", "quantity": 1, "unit_price": 1}],
                "address": {"street": "1\u202eA", "city": "X", "country": "Y"},
            },
        ),
    ],
)
def test_every_text_of_an_order_is_looked_at(
    message: type, data: dict[str, object]
) -> None:
    with pytest.raises(InvalidInput, match=r"U\+202E"):
        parse(message, data)


@given(st.text(max_size=40))
def test_what_is_accepted_can_be_seen_and_turns_nothing(text: str) -> None:
    if text and problem_with(text) is None:
        kinds = {unicodedata.category(c) for c in text}
        bidirectional = {unicodedata.bidirectional(c) for c in text}

        assert not kinds & {"Cc", "Cs", "Co", "Zl", "Zp"}
        assert not bidirectional & {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI"}


@given(st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1))
def test_what_is_seen_alone_is_accepted_or_named(text: str) -> None:
    problem = problem_with(text)

    assert problem is None or "U+" in problem or "can be seen" in problem
