"""The circuit breaker before the broker, and the thread that publishes."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import uuid4

import pytest

from tasks.broker import publish
from tasks.broker.circuit_breaker import Breaker, State
from tasks.broker.publisher_thread import PendingMessage, PublisherThread
from tasks.shop.settings import Settings
from tasks.shop.wiring import Shop
from tests.support.settings import settings_for
from tests.support.waiting import wait_until


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(threshold=2, first_rest=1, longest_rest=3, clock=clock)


def fail(breaker: Breaker, times: int = 1) -> None:
    for _ in range(times):
        assert breaker.lets_through()
        breaker.failed()


def test_one_failure_opens_nothing(breaker: Breaker) -> None:
    fail(breaker)

    assert breaker.lets_through()
    assert breaker.state is State.CLOSED


def test_failures_in_a_row_open_it(breaker: Breaker) -> None:
    fail(breaker, 2)

    assert not breaker.lets_through()
    assert breaker.state is State.OPEN


def test_failures_with_a_success_between_them_open_nothing(breaker: Breaker) -> None:
    fail(breaker)
    breaker.succeeded()
    fail(breaker)

    assert breaker.lets_through()


def test_after_a_rest_one_goes_through_as_a_probe(
    breaker: Breaker, clock: Clock
) -> None:
    fail(breaker, 2)
    clock.now = 1

    assert breaker.lets_through()
    assert breaker.state is State.HALF_OPEN
    assert not breaker.lets_through()


def test_a_probe_that_succeeds_closes_it(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 2)
    clock.now = 1
    breaker.lets_through()
    breaker.succeeded()

    assert breaker.state is State.CLOSED
    assert breaker.lets_through()
    assert breaker.lets_through()


def test_after_each_probe_that_fails_it_rests_twice_as_long_up_to_a_limit(
    breaker: Breaker, clock: Clock
) -> None:
    fail(breaker, 2)
    rests = []
    for _ in range(4):
        rests.append(breaker.rest)
        clock.now += breaker.rest
        fail(breaker)

    assert rests == [1, 2, 3, 3]


def test_messages_are_sent_in_order_by_another_thread() -> None:
    sent: list[tuple[str, str]] = []

    def send(together: Sequence[PendingMessage]) -> None:
        sent.extend((one.task, threading.current_thread().name) for one in together)

    outbox = PublisherThread(send)
    for number in range(100):
        outbox.put(PendingMessage(f"task {number}"))

    assert outbox.empty(5)
    assert sent == [(f"task {number}", "outbox") for number in range(100)]


def wait_for(event: threading.Event) -> None:
    event.wait(10)


CATCH_UP = PendingMessage("catch_up")


def test_a_broker_that_hangs_lets_nobody_wait_and_costs_bounded_memory() -> None:
    hangs = threading.Event()
    outbox = PublisherThread(lambda _: wait_for(hangs), most=3)
    outbox.put(CATCH_UP)
    wait_until(lambda: outbox.messages.empty(), "the thread hangs")
    taken = [outbox.put(CATCH_UP) for _ in range(5)]
    hangs.set()

    assert taken == [True] * 3 + [False] * 2
    assert outbox.empty(5)


def test_who_cannot_learn_its_queues_tells_nobody_and_does_not_blame_the_broker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[object] = []
    shop = shop_without_a_database()
    monkeypatch.setattr(publish, "shop_here", lambda: shop)
    monkeypatch.setattr(
        "tasks.broker.publish.app.send_task", lambda *a, **_: sent.append(a)
    )

    publish.deliver(PendingMessage("execute"))

    assert (sent, shop.breaker.state) == ([], State.CLOSED)


def shop_without_a_database() -> Shop:
    url = "postgresql+psycopg://nobody@127.0.0.1:1/nowhere"
    return Shop(settings_for(url))


@pytest.fixture
def nowhere(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop of the web whose broker refuses each message."""

    def refuse(*_: object, **__: object) -> None:
        attempts.append(1)
        raise ConnectionError

    attempts: list[int] = []
    shop = web_shop(settings, monkeypatch)
    shop.breaker = Breaker(first_rest=60)
    monkeypatch.setattr("tasks.broker.publish.app.send_task", refuse)
    vars(shop)["attempts"] = attempts
    return shop


def web_shop(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, most: int = 100
) -> Shop:
    """Return a shop of the web, which publishes by a thread of its own."""
    outbox = PublisherThread(publish.deliver_together, most=most)
    shop = Shop(replace(settings, role="web"))
    monkeypatch.setattr(publish, "outbox", outbox)
    monkeypatch.setattr(publish, "shop_here", lambda: shop)
    monkeypatch.setattr(publish, "knows_its_queues", lambda: True)
    return shop


def test_who_publishes_gives_up_after_two_failures(nowhere: Shop) -> None:
    for _ in range(20):
        publish.send("catch_up", nowhere)
        assert publish.outbox.empty(5)

    assert len(vars(nowhere)["attempts"]) == 2
    assert nowhere.breaker.state is State.OPEN


def test_what_is_accepted_while_one_is_sent_goes_in_one_message(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[str, list[str], str]] = []
    hangs = threading.Event()

    def send_task(_: str, arguments: list[list[str]], **how: str) -> None:
        wait_for(hangs)
        sent.append((how["task_id"], arguments[0], how["shadow"]))

    shop = web_shop(settings, monkeypatch)
    monkeypatch.setattr("tasks.broker.publish.app.send_task", send_task)
    ids = [uuid4() for _ in range(25)]
    publish.publish(shop, ids[0], "PlaceOrder")
    wait_until(lambda: publish.outbox.messages.empty(), "the thread hangs")
    for command_id in ids[1:]:
        publish.publish(shop, command_id)
    hangs.set()

    assert publish.outbox.empty(5)
    texts = [str(one) for one in ids]
    assert sent == [
        (texts[0], texts[:1], "PlaceOrder"),
        (texts[1], texts[1:21], "many"),
        (texts[21], texts[21:], "many"),
    ]


def test_what_finds_no_room_is_not_kept(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = web_shop(settings, monkeypatch, most=1)
    monkeypatch.setattr(publish.outbox, "start", lambda: None)
    for _ in range(3):
        publish.publish(shop, uuid4())

    assert publish.outbox.messages.qsize() == 1


def test_what_goes_not_together_is_sent_one_after_the_other(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = web_shop(replace(settings, catch_up_signals=True), monkeypatch)
    monkeypatch.setattr(publish.outbox, "start", lambda: None)
    many = [uuid4() for _ in range(30)]
    publish.publish(shop, many[0])
    publish.publish_catch_up(shop)
    publish.publish(shop, many[1])
    publish.publish_many(shop, many)
    together = [publish.outbox.take() for _ in range(4)]

    assert [(one.task, len(one.command_ids)) for [one] in together] == [
        ("execute", 1),
        ("catch_up", 0),
        ("execute", 1),
        ("execute", 30),
    ]


def test_while_there_is_no_message_the_thread_is_idle_again_and_again() -> None:
    idle = threading.Semaphore(0)
    outbox = PublisherThread(lambda _: None, when_idle=idle.release)
    outbox.put(CATCH_UP)

    assert idle.acquire(timeout=10)
    assert idle.acquire(timeout=10)


@dataclass
class Broker:
    """A broker that one may ask whether it is there."""

    is_there: bool = False
    asked: int = 0

    def __enter__(self) -> "Broker":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def ensure_connection(self, **_: object) -> None:
        self.asked += 1
        if not self.is_there:
            raise ConnectionError


@pytest.fixture
def broker(breaker: Breaker, monkeypatch: pytest.MonkeyPatch) -> Broker:
    """A broker that has just been given up."""
    broker = Broker()
    fail(breaker, 2)
    web_shop(settings_for("nowhere"), monkeypatch).breaker = breaker
    monkeypatch.setattr("tasks.broker.publish.app.connection_for_write", lambda: broker)
    return broker


def test_a_broker_that_is_back_is_found_without_a_message(
    broker: Broker, breaker: Breaker, clock: Clock
) -> None:
    clock.now = 1
    states = []
    for clock.now, broker.is_there in ((1, False), (3, True)):
        publish.probe()
        states.append(breaker.state)

    assert states == [State.OPEN, State.CLOSED]


def test_a_broker_that_rests_or_is_well_is_not_asked(
    broker: Broker, breaker: Breaker
) -> None:
    publish.probe()
    breaker.succeeded()
    publish.probe()

    assert broker.asked == 0
