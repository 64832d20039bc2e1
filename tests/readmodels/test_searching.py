"""What is searched for is found: in any script, and a number's own row first."""

# ruff: noqa: RUF001  # letters of all scripts, on purpose

from collections.abc import Sequence
from dataclasses import replace

import pytest

from domain.customers.commands import RegisterCustomer
from readmodels import customers, order_list
from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, place

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
