"""What a worker's heart tells of its queue."""

import threading
from uuid import UUID

import pytest

from tasks import publishing, watching
from tasks.bootstrap import Shop
from tasks.breaker import Breaker
from tasks.heart import Heart
from tasks.outbox import Outbox
from tasks.settings import Settings
from tasks.watching import Queue

COMMAND = UUID("5ab1ec0d-0000-4000-8000-000000000001")


def queue() -> Queue:
    return Queue(children=1, queues={"commands"})


@pytest.mark.parametrize("shadow", [{}, {"shadow": "PlaceOrder"}, {"shadow": "many"}])
def test_a_message_that_names_commands_tells_how_far_the_queue_is(
    shadow: dict[str, str],
) -> None:
    known = queue()
    known.note({"task": "execute", "id": str(COMMAND), **shadow})

    assert known.tell().received == COMMAND


@pytest.mark.parametrize(
    "headers",
    [
        {"task": "catch_up", "id": str(COMMAND)},
        {"task": "execute", "id": "of somebody else"},
        {"task": "execute"},
    ],
)
def test_other_messages_tell_nothing_of_it(headers: dict[str, str]) -> None:
    known = queue()
    known.note(headers)

    assert known.tell().received is None
    assert known.count == 1


def test_a_process_that_has_sent_nothing_asks_for_a_broker_that_others_left_alone(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    hearts: list[Heart] = []
    asked = threading.Event()
    breaker = Breaker(threshold=1)
    monkeypatch.setattr(publishing, "breaker", breaker)
    monkeypatch.setattr(publishing, "outbox", Outbox(when_idle=asked.set))
    monkeypatch.setattr(watching, "start", hearts.append)
    watching.begin(Shop(settings), "web")
    [heart] = hearts

    assert heart.tell().detail == {"breaker": "closed"}
    assert publishing.outbox.thread is None
    breaker.failed()
    assert heart.tell().detail == {"breaker": "open"}
    assert asked.wait(10)
