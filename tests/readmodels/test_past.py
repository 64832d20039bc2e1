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
from domain.accounts.commands import Deposit, OpenAccount, Withdraw
from domain.customers.commands import ForgetCustomer
from domain.transfers.commands import TransferMoney
from eventstore.errors import MomentAhead, NotSettled
from eventstore.log.append import append
from eventstore.log.events import Metadata, NewEvent, RecordedEvent
from eventstore.past import filling
from eventstore.past.filler import Bounds
from eventstore.past.moments import Moment, MomentReader
from eventstore.past.registry import find_copies, find_right
from eventstore.projections.projection import Projection
from readmodels import ALL, customers, order_list, products
from tasks import catch_up
from tasks.shop import wiring
from tasks.shop.settings import Settings
from tasks.shop.wiring import Shop
from tests.support import northwind
from tests.support.desk import Do, alice, bob, pay, place, rename, ship
from tests.support.fillings import note_fillings
from tests.support.order_histories import BEGIN, OrderHistories
from tests.support.parking import park_stream
from tests.support.past import (
    fold_past,
    make_copy,
    moment_of,
    read_copy,
    read_events,
)

HISTORY = (
    alice,
    bob,
    place,
    replace(place, customer_id="BOB"),
    pay,
    rename,
    ship,
    OpenAccount(account_id="A", currency="EUR"),
    OpenAccount(account_id="B", currency="EUR"),
    Deposit(account_id="A", amount=500),
    TransferMoney(from_account="A", to_account="B", amount=1, currency="EUR"),
    Withdraw(account_id="A", amount=3),
    place,
    replace(rename, name="Alice Again"),
)


def check(
    shop: Shop, events: Sequence[RecordedEvent], projection: Projection, moment: Moment
) -> None:
    """Assert that the copy of a moment is what a fold of its events gives."""
    copy = make_copy(shop, projection, moment)
    rows, lookups = read_copy(shop, projection, copy)
    wanted_rows, wanted_lookups = fold_past(events, projection, moment)
    assert rows == wanted_rows
    assert lookups == wanted_lookups
    assert copy.rows == len(rows)


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
        note_fillings(shop)
        take_live_rows(monkeypatch)
    times = [event.occurred_at for event in chance.sample(list(events), 8)]
    for moment in sorted(times) if order == "ascending" else times:
        for projection in chance.sample(ALL, 3):
            check(shop, events, projection, moment_of(shop, moment))


def take_live_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have all copies made from the live rows, however much there is to do."""
    monkeypatch.setattr(MomentReader, "count_left", lambda _: 100_000)


WITH_STREAMS = [projection for projection in ALL if projection.streams]


@pytest.fixture
def from_live_rows(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Have all copies made from the live rows; those that were not are in the list."""
    others: list[str] = []
    read = filling.Filling.read

    def note(self: filling.Filling) -> None:
        others.append(self.projection.name)
        read(self)

    monkeypatch.setattr(filling.Filling, "read", note)
    take_live_rows(monkeypatch)
    return others


@pytest.mark.parametrize("projection", WITH_STREAMS, ids=lambda model: model.name)
def test_what_is_made_from_the_live_rows_is_the_same(
    known_shop: Shop, do: Do, projection: Projection, from_live_rows: list[str]
) -> None:
    note_fillings(known_shop)
    events = read_events(known_shop)
    chance = Random(2)
    for event in chance.sample(list(events), 4):
        check(known_shop, events, projection, moment_of(known_shop, event.occurred_at))
        position = moment_of(known_shop, position=event.position)
        check(known_shop, events, projection, position)
    # What the live rows have not read yet, and somebody who is forgotten.
    do(place)
    shipped = moment_of(known_shop)
    do(ForgetCustomer(customer_id="ALICE"))
    check(known_shop, read_events(known_shop), projection, shipped)

    assert from_live_rows == []


def test_live_rows_of_other_code_are_not_taken(
    known_shop: Shop, from_live_rows: list[str]
) -> None:
    note_fillings(known_shop)
    with known_shop.lent() as connection:
        connection.execute("UPDATE fillings SET fold_version = 'other'")

    make_copy(known_shop, order_list.projection, moment_of(known_shop))

    assert from_live_rows == ["order_list"]


def test_live_rows_with_a_stream_left_out_are_not_taken(
    known_shop: Shop, do: Do, from_live_rows: list[str]
) -> None:
    note_fillings(known_shop)
    park_stream(known_shop, "order_list", "order-1", 0)

    events = read_events(known_shop)
    check(known_shop, events, order_list.projection, moment_of(known_shop))

    assert from_live_rows == ["order_list"]


def test_a_later_moment_starts_from_an_earlier_copy(
    known_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = read_events(known_shop)
    folded: list[int] = []
    fold = filling.Filling.fold

    def count(self: filling.Filling, some: Sequence[RecordedEvent]) -> None:
        folded.append(len(some))
        fold(self, some)

    monkeypatch.setattr(filling.Filling, "fold", count)
    last = events[-1].position
    check(known_shop, events, order_list.projection, Moment(up_to=last - 1))
    folded.clear()

    check(known_shop, events, order_list.projection, Moment(up_to=last))

    assert sum(folded) == 1


def test_what_shows_the_same_events_is_the_same_copy(known_shop: Shop) -> None:
    events = read_events(known_shop)
    end = events[-1]
    first = make_copy(known_shop, products.projection, moment_of(known_shop))

    # Nothing was ordered since.
    assert end.type != "OrderCreated"
    before = moment_of(known_shop, position=end.position - 1)
    again = make_copy(known_shop, products.projection, before)

    assert again.number == first.number
    third = make_copy(known_shop, order_list.projection, before)
    assert third.number != first.number


def test_a_copy_is_found_again_although_the_log_has_grown(
    known_shop: Shop, do: Do
) -> None:
    events = read_events(known_shop)
    at = events[-1].occurred_at
    first = make_copy(known_shop, order_list.projection, moment_of(known_shop, at))

    do(place, rename)
    now = moment_of(known_shop, at)
    again = make_copy(known_shop, order_list.projection, now)

    assert again.number == first.number
    assert again.looked is not None
    with known_shop.lent() as connection:
        [copy] = find_copies(connection)
        assert copy.looked == now.up_to


def append_order(shop: Shop, customer_id: str) -> None:
    """Append an order of a customer, placed years ago."""
    with shop.transaction() as connection:
        for seed in range(100):
            event = next(OrderHistories.of(seed).stream())
            if f'"customer_id": "{customer_id}"' in event.data:
                append(connection, [("order-99", event)], expected={"order-99": 0})
                return
    raise AssertionError("chance has made no such order")


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


def test_beyond_the_bounds_the_copy_used_longest_ago_goes(known_shop: Shop) -> None:
    events = read_events(known_shop)
    few = Bounds(copies=2)
    moments = [Moment(up_to=event.position) for event in events[:4]]
    for moment in moments[:2]:
        make_copy(known_shop, customers.projection, moment, few)
    with known_shop.lent() as connection:
        connection.execute(
            "UPDATE past_copies SET used_at = used_at - interval '1 min' * number"
        )
        assert find_right(connection, customers.projection, moments[0])

        make_copy(known_shop, customers.projection, moments[3], few)

        kept = {copy.up_to for copy in find_copies(connection)}
        tables = connection.execute(
            "SELECT count(*) FROM pg_tables WHERE tablename ~ '^customers_at_[0-9]+$'"
        ).fetchone()
    assert kept == {moments[0].up_to, moments[3].up_to}
    assert tables == (2,)


def test_copies_have_no_more_bytes_than_allowed(known_shop: Shop) -> None:
    events = read_events(known_shop)
    for event in events[:3]:
        moment = Moment(up_to=event.position)
        make_copy(known_shop, customers.projection, moment, Bounds(bytes=1))

    with known_shop.lent() as connection:
        assert [copy.up_to for copy in find_copies(connection)] == [events[2].position]


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


def test_who_is_forgotten_is_in_no_copy(known_shop: Shop, do: Do) -> None:
    events = read_events(known_shop)
    at = events[-1].occurred_at
    first = make_copy(known_shop, customers.projection, moment_of(known_shop, at))
    rows, _ = read_copy(known_shop, customers.projection, first)
    assert rows["ALICE"].name == "Alice Again"

    do(ForgetCustomer(customer_id="ALICE"))

    with known_shop.lent() as connection:
        assert find_copies(connection) == []
    again = make_copy(known_shop, customers.projection, moment_of(known_shop, at))
    rows, _ = read_copy(known_shop, customers.projection, again)
    assert rows["ALICE"].name != "Alice Again"
    assert rows["ALICE"].is_forgotten is False
    assert "Alice" not in str(rows["ALICE"])


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
        note_fillings(northwind_shop)
        take_live_rows(monkeypatch)
    for at in order(moments_between(events, count, chance)):
        moment = moment_of(northwind_shop, at)
        for projection in ALL if count > 12 else chance.sample(ALL, 2):
            check(northwind_shop, events, projection, moment)
