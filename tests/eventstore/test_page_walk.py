"""The audit's walk: each page once a round, in an order that differs."""

import pytest

from eventstore.explaining.page_walk import PageWalk, begin_walk, on_page


def pages_of(walk: PageWalk) -> list[int]:
    pages = []
    while not walk.is_over:
        pages.append(walk.page)
        walk = walk.step()
    return pages


@pytest.mark.parametrize("pages", [0, 1, 2, 3, 12, 97, 1_000])
def test_each_page_has_its_turn_once(pages: int) -> None:
    for _ in range(20):
        assert sorted(pages_of(begin_walk(pages))) == list(range(pages))


def test_rounds_begin_anywhere_and_go_in_other_orders() -> None:
    rounds = [tuple(pages_of(begin_walk(97))) for _ in range(30)]

    assert len(set(rounds)) > 25
    assert len({round_[0] for round_ in rounds}) > 15


def test_a_page_ends_where_the_next_begins() -> None:
    text = on_page(7).as_string()

    assert text == "ctid >= '(7,0)'::tid AND ctid < '(8,0)'::tid"
