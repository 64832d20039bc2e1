"""
Single rows of thousands of random histories, made once more from their streams.

Each is held against a full rebuild, and against a fold of its own history alone, which
is written for tests. Many histories are in one log, and have no stream in common.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from random import Random

import pytest

from eventstore.log.events import RecordedEvent
from eventstore.past.moments import Moment
from eventstore.projections.project import subscription_of
from eventstore.projections.projection import Projection
from eventstore.rebuilding.one_row import recompute_row
from eventstore.rebuilding.rebuild import rebuild
from eventstore.subscriptions.catch_up import catch_up
from readmodels import ALL
from tasks.shop.wiring import Shop
from tests.readmodels.test_recomputed_rows import all_rows, spoil
from tests.support.past import Rows, fold_past, read_events
from tests.support.shop_histories import MAX_ORDERS, ShopHistory

MODELS = [projection for projection in ALL if projection.streams]
EVENTS = 60
"""Events of a history: some customers, products, orders and accounts."""
A_CHUNK = 500
CHUNKS = 20
END = Moment(up_to=2**62)


def place_of(stream_id: str) -> int:
    """Return which history a stream is of."""
    category, _, subject = stream_id.partition("-")
    if category == "order":
        return (int(subject) - 1) // MAX_ORDERS
    return int(subject[1:].partition(category[0].upper())[0])


def fold_apart(
    histories: Mapping[int, list[RecordedEvent]], projection: Projection
) -> dict[int, Rows]:
    """Return the rows of each history, folded alone."""
    return {
        place: fold_past(events, projection, END)[0]
        for place, events in histories.items()
    }


@pytest.mark.parametrize(
    ("seed", "count"),
    [
        (0, 20),
        *(
            pytest.param(seed, A_CHUNK, marks=pytest.mark.long)
            for seed in range(1, CHUNKS + 1)
        ),
    ],
)
def test_a_row_of_each_history_is_what_a_rebuild_and_a_fold_of_it_make(
    shop: Shop, seed: int, count: int
) -> None:
    """All chunks together are ten thousand histories, each with a row of each list."""
    chance, tried = Random(seed), 0
    with shop.lent() as connection:
        for place in range(1, count + 1):
            history = ShopHistory.of(seed * A_CHUNK + place, place=place)
            history.append(connection, EVENTS)
    histories: dict[int, list[RecordedEvent]] = defaultdict(list)
    for event in read_events(shop):
        histories[place_of(event.stream_id)].append(event)
    assert len(histories) == count
    with shop.lent() as connection:
        for projection in MODELS:
            live = replace(subscription_of(projection, 1), batch=5_000)
            assert catch_up(connection, live).error is None
            rebuild(connection, projection)
            expected = all_rows(connection, projection)
            apart = fold_apart(histories, projection)
            assert expected == {
                k: r for rows in apart.values() for k, r in rows.items()
            }
            for rows in apart.values():
                if not rows:
                    continue
                key = chance.choice(sorted(rows))
                # A line of a statement is found by its row alone.
                is_there = projection.stream_of(key) is None
                spoil(connection, projection, key, int(is_there) or chance.randrange(2))
                made = recompute_row(connection, projection, str(key))
                tried += 1

                assert made.row == rows[key]
                assert made.difference is not None
            assert all_rows(connection, projection) == expected
    assert tried >= 4 * count
