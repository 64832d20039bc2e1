"""What a worker's heart tells of its queue."""

from uuid import UUID

import pytest

from tasks.pulse import Pulses
from tasks.watching import Queue

COMMAND = UUID("5ab1ec0d-0000-4000-8000-000000000001")


def queue() -> Queue:
    return Queue(children=1, queues={"commands"}, pulses=Pulses())


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
