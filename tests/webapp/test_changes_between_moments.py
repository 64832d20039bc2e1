"""What changed in a list between two moments, in words, as JSON and as CSV."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qsl

import pytest
from flask.testing import FlaskClient

from domain.accounts.commands import Deposit, OpenAccount
from tasks.shop.wiring import Shop
from tests.support.desk import (
    Do,
    add_clock,
    alice,
    bob,
    pay,
    place,
    raise_price,
    rename,
    ship,
)
from tests.support.past import read_events
from tests.support.past_pages import Look, looker
from webapp.past import making

HISTORY = (
    alice,
    place,
    bob,
    OpenAccount(account_id="A", currency="EUR"),
    pay,
    replace(place, customer_id="BOB"),
    rename,
    Deposit(account_id="A", amount=500),
    add_clock,
    ship,
    place,
    replace(bob, customer_id="EVE", name="=HYPERLINK(1)"),
    replace(rename, name="+1"),
    raise_price,
)
LISTS = ("orders", "customers", "accounts", "transfers", "products")
KEYS = {
    "orders": "order_id",
    "customers": "customer_id",
    "accounts": "account_id",
    "transfers": "transfer_id",
    "products": "product_id",
}


@pytest.fixture(autouse=True)
def _nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "MAX_SECONDS_TO_WAIT", 0)


@pytest.fixture
def look(client: FlaskClient, shop: Shop) -> Look:
    return looker(client, shop)


@pytest.fixture
def times(shop: Shop, do: Do) -> Sequence[datetime]:
    """The times of a history's events, without those of the process managers."""
    do(*HISTORY)
    return [event.occurred_at for event in read_events(shop)]


def rows_of(look: Look, name: str, **moment: Any) -> dict[Any, Any]:
    answer = look(f"/api/{name}", limit=200, **moment).json
    assert answer is not None
    return {row[KEYS[name]]: row for row in answer[name]}


@pytest.mark.parametrize("name", LISTS)
def test_the_changes_are_the_difference_of_the_two_answers(
    look: Look, times: Sequence[datetime], name: str
) -> None:
    for begin, end in [(0, 5), (3, 3), (2, -1), (1, None)]:
        to = {} if end is None else {"to": times[end]}
        old = rows_of(look, name, as_of=times[begin])
        new = rows_of(look, name, **({"as_of": to["to"]} if to else {}))

        answer = look(f"/api/{name}/changes", from_=times[begin], **to).json

        assert answer is not None
        keys = sorted(old.keys() | new.keys())
        wanted = [key for key in keys if old.get(key) != new.get(key)]
        assert [change["key"] for change in answer["changes"]] == wanted
        for change in answer["changes"]:
            key = change["key"]
            before, after = old.get(key), new.get(key)
            assert change["row"] == (after or before)
            assert change["before"] == {
                column: value
                for column, value in (before or {}).items()
                if before and after and after[column] != value
            }
        assert answer["came"] == len(new.keys() - old.keys())
        assert answer["went"] == len(old.keys() - new.keys())
        assert answer["came"] + answer["went"] + answer["changed"] == len(wanted)


def test_page_by_page_each_change_is_told_once(
    look: Look, client: FlaskClient, times: Sequence[datetime]
) -> None:
    whole = look("/api/orders/changes", from_=times[0]).json
    page = look("/api/orders/changes", from_=times[0], limit=1).json
    found = []
    while page is not None:
        found += page["changes"]
        page = client.get(page["next"]).json if page["next"] else None

    assert whole is not None
    assert found == whole["changes"]
    assert len(found) == 3


def test_as_csv_no_value_is_taken_for_a_formula(
    look: Look, times: Sequence[datetime]
) -> None:
    answers = [
        look("/api/customers/changes.csv", from_=times[2]),
        look("/api/customers/changes", from_=times[2], accept="text/csv"),
        look("/customers/changes.csv", from_=times[2]),
    ]
    assert len({answer.text for answer in answers}) == 1
    assert {answer.mimetype for answer in answers} == {"text/csv"}
    lines = list(csv.DictReader(io.StringIO(answers[0].text)))
    rows = {line["customer_id"]: line for line in lines}

    assert rows["EVE"]["change"] == "came"
    assert rows["EVE"]["name"] == "'=HYPERLINK(1)"
    assert rows["ALICE"]["change"] == "changed"
    assert rows["ALICE"]["name"] == "'+1"
    assert rows["ALICE"]["before_name"] == "Alice"
    assert "name" in rows["ALICE"]["columns"].split()
    assert not any(
        value.startswith(("=", "+", "-", "@"))
        for row in lines
        for value in row.values()
    )


def test_a_page_tells_them_in_words(look: Look, times: Sequence[datetime]) -> None:
    page = look("/orders/changes", from_=times[1], to=times[-1]).text

    assert "2 came, 0 went, 1 changed" in page
    assert "<del>pending</del> → <ins>shipped</ins>" in page
    assert "<del>Alice</del> → <ins>+1</ins>" in page
    assert re.search(r"came: \S.*, [0-9.]+ EUR, pending", page)
    assert 'href="/orders/changes.csv?from=' in page


def test_each_list_leads_to_what_changed_since_yesterday(
    look: Look, client: FlaskClient, times: Sequence[datetime]
) -> None:
    for name in ("orders", "customers", "accounts", "transfers"):
        assert f'href="/{name}/changes"' in client.get(f"/{name}").text
    page = look("/orders/changes").text
    yesterday = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}"

    assert f'name="from" value="{yesterday}"' in page
    assert "3 came, 0 went, 0 changed" in page


def changed_names(query: str) -> dict[str, str]:
    """Return the parameters of an address, as `look` takes them."""
    return {f"{name}_": value for name, value in parse_qsl(query)}


def test_a_list_of_the_past_leads_to_what_changed_since_then(
    look: Look, times: Sequence[datetime]
) -> None:
    page = look("/orders", as_of=times[1]).text

    assert "What changed since then" in page
    [address] = re.findall(r'href="(/orders/changes\?[^"]*)"', page)
    path, _, query = unescape(address).partition("?")
    assert "2 came, 0 went, 1 changed" in look(path, **changed_names(query)).text


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"from": "nonsense"},
        {"from": "1997-03-31", "to": "1997-03-30"},
        {"from": "1997-03-31", "from_position": "1"},
        {"from": "1997-03-31", "after": "nonsense"},
        {"from": "1997-03-31", "as_of": "1997-03-31"},
        {"from_position": "1000000"},
        {"from_position": "2", "to_position": "1"},
    ],
)
def test_two_moments_that_make_no_sense_are_refused(
    client: FlaskClient, times: Sequence[datetime], asked: Any
) -> None:
    answer = client.get("/api/orders/changes", query_string=asked)
    assert answer.status_code == 400


def test_positions_are_moments_too(look: Look, times: Sequence[datetime]) -> None:
    answer = look("/api/orders/changes", from_position=0, to_position=2).json
    assert answer is not None
    assert [change["key"] for change in answer["changes"]] == [1]
    assert (answer["from"], answer["to"]) == (0, 2)
