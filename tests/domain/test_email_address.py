"""E-mail addresses: what is one, and which two are the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.customers.commands import RegisterCustomer
from domain.email_address import FORM, EmailForm, same_address
from domain.errors import InvalidInput
from domain.input import parse


@pytest.mark.parametrize(
    "email",
    [
        "alice@example.com",
        "Alice.O'Neil+shop@sub.example.co.uk",
        "m\u00fcller@stra\u00dfe.example.de",
        "a@xn--strae-oqa.example.de",
        "\u0938\u0940\u0924\u093e@\u0909\u0926\u093e.\u092d\u093e\u0930\u0924",
        "a@b-c.de",
    ],
)
def test_an_address_is_accepted(email: str) -> None:
    assert parse(RegisterCustomer, {"name": "Alice", "email": email}).email == email


@pytest.mark.parametrize(
    "email",
    [
        "alice@example.com.",
        "alice@example.com,",
        "alice@example.com;",
        "alice.@example.com",
        ".alice@example.com",
        "al..ice@example.com",
        "alice,@example.com",
        "alice@example..com",
        "alice@-example.com",
        "alice@example-.com",
        "alice@exam_ple.com",
        "<alice@example.com>",
        "alice@b@example.com",
        "alice@" + "x" * 64 + ".com",
    ],
)
def test_what_is_almost_an_address_is_refused(email: str) -> None:
    assert EmailForm().problem(email) == FORM


@pytest.mark.parametrize("unseen", ["\u200b", "\u2060", "\ufeff", "\u00ad", "\u200d"])
@pytest.mark.parametrize("email", ["ali{}ce@example.com", "alice@example.com{}"])
def test_an_unseen_character_makes_no_other_address(email: str, unseen: str) -> None:
    with pytest.raises(InvalidInput, match=f"U[+]{ord(unseen):04X}"):
        parse(RegisterCustomer, {"name": "Alice", "email": email.format(unseen)})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("alice@example.com", "Alice@EXAMPLE.com"),
        ("a@b\u00fccher.example", "a@xn--bcher-kva.example"),
        ("a@b\u00fccher.example", "a@BU\u0308CHER.example"),
        ("a@stra\u00dfe.example.de", "a@STRA\u1e9eE.example.de"),
        ("a@stra\u00dfe.example.de", "a@XN--STRAE-OQA.example.de"),
    ],
)
def test_an_address_is_the_same_however_it_is_written(one: str, other: str) -> None:
    assert same_address(one) == same_address(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a@stra\u00dfe.example.de", "a@strasse.example.de"),
        ("stra\u00dfe@example.de", "strasse@example.de"),
        (
            "a@\u03b2\u03cc\u03bb\u03bf\u03c2.com",
            "a@\u03b2\u03cc\u03bb\u03bf\u03c3.com",
        ),
    ],
)
def test_two_addresses_of_idna_2008_are_two(one: str, other: str) -> None:
    assert same_address(one) != same_address(other)


@given(st.text(max_size=30))
def test_the_form_that_is_compared_stays_as_it_is(text: str) -> None:
    once = same_address(f"a@{text}.example")

    assert same_address(once.replace("xn--", "")) == once.replace("xn--", "")
