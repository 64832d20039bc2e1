"""The price list: what can be ordered at which price, and what could be."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from eventstore.errors import BadCursor
from readmodels import products
from readmodels.products import ProductView
from tasks.shop.wiring import Shop
from tests.support.desk import (
    Do,
    add_clock,
    discontinue,
    raise_price,
    rename_clock,
)

add_lamp = replace(add_clock, product_id="L-1", name="Lamp ⏰", unit_price=999)
add_tea = replace(add_clock, product_id="T-1", name="Äpfeltee", unit_price=350)


def found(shop: Shop, **asked: Any) -> list[str]:
    with shop.engine.connect() as connection:
        page = products.find(connection, **asked)
    return [row.product_id for row in page.rows]


def clock(shop: Shop) -> ProductView:
    with shop.engine.connect() as connection:
        row = products.find_one(connection, "RC-1")
    assert row is not None
    return row


def test_a_product_has_its_name_and_its_price(shop: Shop, do: Do) -> None:
    do(add_clock)
    row = clock(shop)

    assert row == ProductView(
        product_id="RC-1",
        version=1,
        name="RETRO-CLOCK",
        unit_price=4_950,
        currency="EUR",
        added_at=row.added_at,
        price_changed_at=row.added_at,
        discontinued_at=None,
    )


def test_a_product_that_brings_no_number_gets_one(shop: Shop, do: Do) -> None:
    do(replace(add_clock, product_id=None), replace(add_lamp, product_id=None))

    assert found(shop, sort="product") == ["1", "2"]


def test_a_new_price_says_since_when(shop: Shop, do: Do) -> None:
    do(add_clock)
    before = clock(shop)
    do(raise_price)
    after = clock(shop)

    assert after == replace(
        before,
        version=2,
        unit_price=5_250,
        price_changed_at=after.price_changed_at,
    )
    assert after.price_changed_at > before.price_changed_at


def test_a_renamed_product_is_found_by_the_new_name_alone(shop: Shop, do: Do) -> None:
    do(add_clock, rename_clock)

    assert clock(shop).name == "RETRO-CLOCK II"
    assert named(shop, "retro clock ii", "retro clock") == {
        "retro clock ii": ["RC-1"],
        "retro clock": [],
    }


def test_what_is_no_longer_sold_stays_on_the_list(shop: Shop, do: Do) -> None:
    do(add_clock, add_lamp, discontinue)

    assert clock(shop).discontinued_at is not None
    assert found(shop) == ["L-1", "RC-1"]
    assert found(shop, is_listed=True) == ["L-1"]
    assert found(shop, is_listed=False) == ["RC-1"]


def test_what_is_sold_again_has_its_first_day_and_the_new_price(
    shop: Shop, do: Do
) -> None:
    do(add_clock)
    before = clock(shop)
    do(discontinue, replace(add_clock, name="Clock", unit_price=4_000))
    after = clock(shop)

    assert (after.name, after.unit_price, after.version) == ("Clock", 4_000, 3)
    assert (after.discontinued_at, after.added_at) == (None, before.added_at)


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("name", ["T-1", "L-1", "RC-1"]),
        ("-name", ["RC-1", "L-1", "T-1"]),
        ("product", ["L-1", "RC-1", "T-1"]),
        ("price", ["T-1", "L-1", "RC-1"]),
        ("-price", ["RC-1", "L-1", "T-1"]),
    ],
)
def test_the_list_is_in_the_order_that_was_asked_for(
    shop: Shop, do: Do, sort: str, expected: list[str]
) -> None:
    do(add_clock, add_lamp, add_tea)

    assert found(shop, sort=sort) == expected
    paged = []
    after = None
    while True:
        with shop.engine.connect() as connection:
            page = products.find(connection, sort=sort, after=after, limit=1)
        paged += [row.product_id for row in page.rows]
        after = page.following
        if after is None:
            break
    assert paged == expected


def test_a_cursor_of_another_order_is_refused(shop: Shop, do: Do) -> None:
    do(add_clock, add_lamp)
    with shop.engine.connect() as connection:
        after = products.find(connection, limit=1).following
        with pytest.raises(BadCursor):
            products.find(connection, sort="price", after=after)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("retro", ["RC-1"]),
        ("apfel", ["T-1"]),
        ("feltee", ["T-1"]),
        ("apfelte", ["T-1"]),
        ("apfeltea", ["T-1"]),
        ("rc-1", ["RC-1"]),
        ("l", ["L-1"]),
        ("1", ["L-1", "RC-1", "T-1"]),
        ("sundial", []),
    ],
)
def test_a_product_is_found_by_its_name_its_number_and_what_is_like_them(
    shop: Shop, do: Do, typed: str, expected: list[str]
) -> None:
    do(add_clock, add_lamp, add_tea)

    assert found(shop, search=typed, sort="product") == expected


def test_the_product_whose_number_was_typed_comes_first(shop: Shop, do: Do) -> None:
    do(add_clock, replace(add_lamp, name="Anvil for RC-1"))

    assert found(shop) == ["L-1", "RC-1"]
    assert found(shop, search="rc-1") == ["RC-1", "L-1"]


def test_a_product_is_found_by_its_new_name(shop: Shop, do: Do) -> None:
    do(add_clock, replace(rename_clock, name="Sundial"))

    assert found(shop, search="sund") == ["RC-1"]
    assert found(shop, search="retro") == []


def test_a_product_that_is_sold_no_more_is_found_where_it_is_asked_for(
    shop: Shop, do: Do
) -> None:
    do(add_clock, discontinue)

    assert found(shop, search="retro") == ["RC-1"]
    assert found(shop, search="retro", is_listed=True) == []


def named(shop: Shop, *names: str) -> Mapping[str, list[str]]:
    with shop.engine.connect() as connection:
        found = products.find_by_words(connection, names)
    return {name: [row.product_id for row in rows] for name, rows in found.items()}


def test_a_product_is_named_by_its_number_or_by_its_name(shop: Shop, do: Do) -> None:
    do(add_clock, add_lamp, add_tea, replace(add_lamp, product_id="L-2"))

    assert named(shop, "RC-1", "APFELTEE", "lamp", "nothing", "tea") == {
        "RC-1": ["RC-1"],
        "APFELTEE": ["T-1"],
        "lamp": ["L-1", "L-2"],
        "nothing": [],
        "tea": [],
    }


def test_what_is_no_longer_sold_is_not_named(shop: Shop, do: Do) -> None:
    do(add_clock, discontinue)

    assert named(shop, "RC-1", "retro-clock") == {"RC-1": [], "retro-clock": []}


def test_a_number_comes_before_a_name(shop: Shop, do: Do) -> None:
    do(add_clock, replace(add_lamp, name="RC-1"))

    assert named(shop, "RC-1", "rc-1") == {"RC-1": ["RC-1"], "rc-1": ["L-1"]}


def test_signs_alone_name_nothing(shop: Shop, do: Do) -> None:
    do(replace(add_lamp, name="⏰"))

    assert named(shop, "--", "⏰") == {"--": [], "⏰": ["L-1"]}
