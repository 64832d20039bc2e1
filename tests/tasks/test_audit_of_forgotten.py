"""The audit, while a read model has not read yet that somebody was forgotten."""

import pytest

from eventstore.explaining import live_rows
from tasks import catch_up
from tasks.shop.wiring import Shop
from tests.support.auditing import known, look, run_sql
from tests.support.command_histories import happen
from tests.support.desk import Do, alice, bob, forget, pay, place


@pytest.fixture
def forgotten_unread(shop: Shop, do: Do) -> None:
    do(alice, bob, place, pay)
    happen(shop, forget, key="later")


@pytest.mark.usefixtures("forgotten_unread")
def test_rows_from_before_a_forgetting_are_not_wrong(shop: Shop) -> None:
    report = look(shop, folds=True)

    assert report.wrong == []
    assert known(shop) == []
    assert report.left_out


@pytest.mark.usefixtures("forgotten_unread")
def test_rows_of_other_people_are_compared_all_the_same(shop: Shop) -> None:
    run_sql(
        shop, "UPDATE readmodels.customers_g1 SET name = 'B' WHERE customer_id = 'BOB'"
    )

    look(shop)

    assert known(shop) == [("customers", "BOB")]


@pytest.mark.usefixtures("forgotten_unread")
def test_once_it_is_read_nothing_is_left_out(shop: Shop) -> None:
    catch_up.run(shop)

    report = look(shop, folds=True)

    assert (report.wrong, report.left_out) == ([], 0)


@pytest.mark.usefixtures("forgotten_unread")
def test_without_a_look_behind_the_checkpoint_they_would_be(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_rows, "find_forgotten_behind", lambda *_: frozenset())

    assert look(shop).wrong
