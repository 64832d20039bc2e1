"""What is searched for is found: in any script, and a number's own row first."""

# ruff: noqa: RUF001  # letters of all scripts, on purpose

from collections.abc import Sequence
from dataclasses import replace

import pytest
import sqlalchemy as sa

from domain.address import Address
from domain.customers.commands import ForgetCustomer, RegisterCustomer
from domain.orders.commands import Item
from readmodels import customers, order_list
from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, bob, pay, place, rename, ship

NAMES = {
    "LODZ": "Łódzka Fabryka",
    "SOREN": "Søren Ærø",
    "THOR": "Þorsson Guðrún",
    "DORDE": "Đorđe",
    "IRMAK": "Irmak Diyarbakır",
    "WEISS": "Weiß & Söhne",
    "SITA": "सीता",
    "SUTA": "सुता",
    "HANGUL": "가" * 180,
    "FARSI": "می‌خواهم",
    "VIET": "Nguyễn Thị",
    "YO": "Ёлка",
    "ONE": "17 and more",
}
SEARCHES = {
    "lodzka": {"LODZ"},
    "ŁÓDZKA": {"LODZ"},
    "soren": {"SOREN"},
    "aero": {"SOREN"},
    "thorsson": {"THOR"},
    "gudrun": {"THOR"},
    "dorde": {"DORDE"},
    "DIYARBAKIR": {"IRMAK"},
    "ırmak": {"IRMAK"},
    "weiss": {"WEISS"},
    "सीता": {"SITA"},
    "सुता": {"SUTA"},
    "सु": {"SUTA"},
    "가" * 180: {"HANGUL"},
    "hangul@example.com": {"HANGUL"},
    "میخواهم": {"FARSI"},
    "nguyen thi": {"VIET"},
    "елка": {"YO"},
}


@pytest.fixture
def named(shop: Shop, do: Do) -> Shop:
    do(
        *(
            RegisterCustomer(customer_id=key, name=name, email=f"{key}@example.com")
            for key, name in NAMES.items()
        )
    )
    return shop


def found(shop: Shop, search: str) -> set[str]:
    with shop.engine.connect() as connection:
        rows = customers.find(connection, search=search).rows
    return {row.customer_id for row in rows}


def test_names_are_found_as_people_type_them(named: Shop) -> None:
    assert {search: found(named, search) for search in SEARCHES} == SEARCHES


@pytest.fixture
def many(shop: Shop, do: Do) -> Shop:
    """Twenty-three orders, and a customer whose name begins with a one."""
    one = RegisterCustomer(customer_id="ONE", name="1 Clock Street")
    do(alice, one, *[place] * 22, replace(place, customer_id="ONE"))
    return shop


def numbers(shop: Shop, search: str, sort: str, limit: int) -> Sequence[int]:
    """Return the numbers of all orders that are found, page by page."""
    listed: list[int] = []
    after = None
    with shop.engine.connect() as connection:
        while True:
            page = order_list.find(
                connection, search=search, sort=sort, after=after, limit=limit
            )
            listed += [row.order_id for row in page.rows]
            after = page.following
            if after is None:
                return listed


@pytest.mark.parametrize("limit", [1, 3, 50])
def test_the_order_of_that_number_comes_first(many: Shop, limit: int) -> None:
    wanted = [23, *range(19, 9, -1)]

    assert numbers(many, "1", "-placed", limit) == [1, *wanted]
    assert numbers(many, "1", "order", limit) == [1, *reversed(wanted)]
    assert numbers(many, "12", "-total", limit) == [12]
    assert numbers(many, "#2", "order", limit) == [2, *range(20, 24)]
    assert numbers(many, "23", "customer", limit) == [23]


def test_the_customer_of_that_number_comes_first(shop: Shop, do: Do) -> None:
    do(*(RegisterCustomer(name=f"1 Name {number}") for number in range(3)))
    do(RegisterCustomer(name="Zoe"))
    with shop.engine.connect() as connection:
        first = customers.find(connection, search="4").rows
        by_name = customers.find(connection, search="1").rows

    assert [row.name for row in first] == ["Zoe"]
    assert [row.customer_id for row in by_name] == ["1", "2", "3"]


GUMMY = Item(product="Gumbär Gummibärchen", quantity=1, unit_price=100)
LODZ = Address(street="Piotrkowska 1", city="Łódź", country="Poland")
FRANKFURT = Address(street="Obere Str. 57", city="Frankfurt", country="Germany")


@pytest.fixture
def placed(shop: Shop, do: Do) -> Shop:
    """Alice's clocks go to London (1) and Łódź (2), Bob's sweets to Frankfurt (3)."""
    zoe = replace(bob, name="Zoe Weinberger", contact_name="Ann", phone="+49 30 12345")
    sweets = replace(place, customer_id="BOB", items=(GUMMY,), address=FRANKFURT)
    do(alice, zoe, place, replace(place, address=LODZ), sweets)
    return shop


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("clock lodz", [2]),
        ("gummi", [3]),
        ("poland", [2]),
        ("030 12345", [3]),
        ("ann 12345", [3]),
        # Within a word.
        ("berger", [3]),
        ("barchen", [3]),
        ("furt", [3]),
        # With one slip.
        ("lodzz", [2]),
        ("wienberger", [3]),
        ("gummibarchne", [3]),
        ("weinbr", [3]),
        ("lnodon retro", [1]),
        # Neither two slips, nor another number, nor a part of two letters.
        ("wienbegrer", []),
        ("030 12354", []),
        ("er", []),
        ("berger london", []),
    ],
)
def test_orders_are_found_by_what_is_in_them(
    placed: Shop, search: str, expected: list[int]
) -> None:
    assert numbers(placed, search, "order", 50) == expected


def test_what_is_only_like_it_comes_last_and_is_counted(placed: Shop, do: Do) -> None:
    do(replace(place, items=(replace(GUMMY, product="Bärchen"),)))
    with placed.engine.connect() as connection:
        page = order_list.find(connection, search="barchen", sort="order")
        only = order_list.find(connection, search="barchen", limit=1)

    assert [row.order_id for row in page.rows] == [4, 3]
    assert (page.similar, page.following) == (1, None)
    # A full page has none of them.
    assert ([row.order_id for row in only.rows], only.similar) == ([4], 0)


def test_what_is_like_it_is_among_the_rows_that_were_asked_for(placed: Shop) -> None:
    with placed.engine.connect() as connection:
        found = order_list.find(connection, search="lodnon", customer_id="BOB")
        hers = order_list.find(connection, search="lodnon", customer_id="ALICE")

    assert not found.rows
    assert [row.order_id for row in hers.rows] == [1]


def test_a_shipped_order_keeps_the_words_of_its_products(placed: Shop, do: Do) -> None:
    do(pay, ship)

    assert numbers(placed, "retro 1z", "order", 50) == [1]


def test_an_order_of_many_products_is_found_by_its_tracking_number(
    shop: Shop, do: Do
) -> None:
    names = [f"{letter * 40} {n}" for n in range(20) for letter in "abcd"]
    items = tuple(Item(product=n, quantity=1, unit_price=1) for n in names)
    do(alice, replace(place, items=items), replace(pay, amount=80), ship)

    assert numbers(shop, "1z 999", "order", 50) == [1]


def test_a_renamed_customer_is_found_by_the_new_telephone_number(
    placed: Shop, do: Do
) -> None:
    do(replace(rename, customer_id="BOB", phone="+49 30 54321"))

    assert numbers(placed, "030 54321", "order", 50) == [3]
    assert numbers(placed, "030 12345", "order", 50) == []


def test_orders_of_a_forgotten_customer_are_found_by_nothing_personal(
    placed: Shop, do: Do
) -> None:
    do(ForgetCustomer(customer_id="ALICE"))
    with placed.engine.connect() as connection:
        rows = connection.execute(
            sa.text("SELECT * FROM readmodels.order_list WHERE customer_id = 'ALICE'")
        ).mappings()
        kept = [
            (row["city"], row["place_words"], row["customer_words"]) for row in rows
        ]

    assert kept == [(None, "", "forgotten alice")] * 2
    assert numbers(placed, "lodz", "order", 50) == []
    assert numbers(placed, "clock", "order", 50) == [1, 2]


def test_a_customer_is_found_by_place_and_telephone(shop: Shop, do: Do) -> None:
    do(replace(alice, phone="(5) 555-4729", address=LODZ), bob)

    for search in ("lodz", "555 4729", "5554729", "ldoz", "alcie", "poland alice"):
        assert found(shop, search) == {"ALICE"}, search
