"""Copies of read models as of a moment hold what a fold of its events gives."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from click.testing import CliRunner

from cli.importing import import_history
from eventstore.errors import MomentAhead, NotSettled
from eventstore.log.append import append
from eventstore.log.events import Metadata, NewEvent, RecordedEvent
from eventstore.past import filling
from eventstore.past.registry import find_copies
from eventstore.projections.projection import Projection
from readmodels import ALL, order_list
from tasks import catch_up
from tasks.shop import wiring
from tasks.shop.settings import Settings
from tasks.shop.wiring import Shop
from tests.support import northwind
from tests.support.desk import Do
from tests.support.order_histories import BEGIN, OrderHistories
from tests.support.past import (
    make_copy,
    moment_of,
    read_events,
)
from tests.support.past_checks import HISTORY, append_order, check, take_live_rows


@pytest.fixture
def known_shop(shop: Shop, do: Do) -> Shop:
    do(*HISTORY)
    return shop


@pytest.mark.parametrize("projection", ALL, ids=lambda model: model.name)
def test_each_position_and_time_shows_what_a_fold_of_its_events_gives(
    known_shop: Shop, projection: Projection
) -> None:
    events = read_events(known_shop)
    chance = Random(1)
    for event in chance.sample(list(events), 5):
        check(known_shop, events, projection, moment_of(known_shop, event.occurred_at))
        position = moment_of(known_shop, position=event.position)
        check(known_shop, events, projection, position)


def customers_of(chance: Random) -> Iterator[tuple[str, NewEvent]]:
    """Yield events of the customers whose orders `OrderHistories` makes."""
    for name in ("ALICE", "17"):
        # Some are registered after their first orders, and these are left out then.
        moment = BEGIN + timedelta(days=chance.randrange(-30, 5))
        for number in range(4):
            about = UUID(int=chance.getrandbits(128))
            kind = "CustomerDetailsChanged" if number else "CustomerRegistered"
            yield (
                f"customer-{name}",
                NewEvent(
                    type=kind,
                    data=f'{{"name": "{name} {number}"}}',
                    metadata=Metadata(
                        event_id=about,
                        correlation_id=about,
                        causation_id=about,
                        schema="1.0",
                    ),
                    occurred_at=moment,
                ),
            )
            moment += timedelta(days=chance.randrange(-3, 12))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("order", ["ascending", "by chance", "from the live rows"])
def test_imported_times_that_fall_are_no_matter(
    shop: Shop, seed: int, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also with little memory, from earlier copies, and from the live rows."""
    chance = Random(seed)
    monkeypatch.setattr(filling, "BATCH", chance.choice([7, 1_000]))
    monkeypatch.setattr(filling, "MAX_ROWS_IN_MEMORY", chance.choice([5, 1_000]))
    with shop.transaction() as connection:
        versions = Counter[str]()

        def append_one(stream_id: str, event: NewEvent) -> None:
            append(
                connection,
                [(stream_id, event)],
                expected={stream_id: versions[stream_id]},
            )
            versions[stream_id] += 1

        for stream_id, event in customers_of(chance):
            append_one(stream_id, event)
        OrderHistories.of(seed).append(connection, 12)
        for stream_id, event in customers_of(chance):
            append_one(stream_id, replace(event, type="CustomerDetailsChanged"))
    events = read_events(shop)
    if order == "from the live rows":
        catch_up.run(shop)
        take_live_rows(monkeypatch)
    times = [event.occurred_at for event in chance.sample(list(events), 8)]
    for moment in sorted(times) if order == "ascending" else times:
        for projection in chance.sample(ALL, 3):
            check(shop, events, projection, moment_of(shop, moment))


def test_what_is_imported_later_belongs_to_the_moment(shop: Shop, do: Do) -> None:
    do(*HISTORY)
    at = read_events(shop)[-1].occurred_at
    first = make_copy(shop, order_list.projection, moment_of(shop, at))
    append_order(shop, "ALICE")
    events = read_events(shop)

    check(shop, events, order_list.projection, moment_of(shop, at))

    again = make_copy(shop, order_list.projection, moment_of(shop, at))
    assert again.number != first.number


def test_what_is_still_to_come_is_refused(known_shop: Shop) -> None:
    with pytest.raises(MomentAhead):
        moment_of(known_shop, datetime.now(UTC) + timedelta(minutes=1))
    with pytest.raises(NotSettled):
        moment_of(known_shop, position=10_000)


def test_an_event_that_cannot_be_projected_leaves_out_its_stream(
    known_shop: Shop,
) -> None:
    # Of a customer whom nobody knows.
    append_order(known_shop, "17")
    events = read_events(known_shop)

    check(known_shop, events, order_list.projection, moment_of(known_shop))

    with known_shop.lent() as connection:
        [copy] = find_copies(connection)
    assert copy.left_out == 1


@pytest.fixture
def northwind_shop(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Shop]:
    """The order desk with Northwind's history in it."""
    monkeypatch.setattr("tasks.broker.publish.send", lambda *_: None)
    shop = Shop(replace(settings, currency="USD"))
    wiring.use(shop)
    arguments = [str(northwind.folder()), "--currency", "USD"]
    result = CliRunner().invoke(import_history, arguments)
    assert result.exit_code == 0, result.output
    yield shop
    shop.close()


def moments_between(
    events: Sequence[RecordedEvent], count: int, chance: Random
) -> list[datetime]:
    first = min(event.occurred_at for event in events)
    last = max(event.occurred_at for event in events)
    return [first + (last - first) * chance.random() for _ in range(count)]


needs_northwind = pytest.mark.skipif(
    not northwind.is_there(),
    reason="needs Northwind's CSV files: set NORTHWIND_DIR to their folder",
)


@needs_northwind
@pytest.mark.parametrize(
    ("count", "order", "is_live"),
    [
        (12, sorted, False),
        (12, list, False),
        (12, list, True),
        pytest.param(250, sorted, False, marks=pytest.mark.long),
        pytest.param(200, list, False, marks=pytest.mark.long),
        pytest.param(50, list, True, marks=pytest.mark.long),
    ],
)
def test_any_list_of_a_real_shop_is_as_it_was(
    northwind_shop: Shop,
    count: int,
    order: Callable[[list[datetime]], list[datetime]],
    is_live: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every list where there is time for it; else of each moment two by chance."""
    chance = Random(count)
    events = read_events(northwind_shop)
    if is_live:
        take_live_rows(monkeypatch)
    for at in order(moments_between(events, count, chance)):
        moment = moment_of(northwind_shop, at)
        for projection in ALL if count > 12 else chance.sample(ALL, 2):
            check(northwind_shop, events, projection, moment)
