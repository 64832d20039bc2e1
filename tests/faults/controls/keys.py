"""What makes a key its sender's own, and the command under it one."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4, uuid5

from domain.accounts.commands import Deposit
from eventstore.access.users import add_user
from tests.faults.checker.promises import ONE_ID, SAME_KEY
from tests.faults.controls.control import Control
from tests.faults.controls.scene import Scene, numbers

NAMESPACE = UUID(int=7)


def key() -> str:
    return f"chosen {next(numbers)}"


def a_key_comes_with_other_content(scene: Scene) -> None:
    account, same = scene.account(), key()
    for amount in (1, 2):
        scene.sender.send(Deposit(account_id=account, amount=amount), key=same)
    scene.sender.work()


def take_any_content_for_the_same(scene: Scene) -> None:
    scene.change(
        "accept", "SELECT false, stored_content = content", "SELECT false, true"
    )


def a_command_is_sent_again_as_its_answer_was_lost(scene: Scene) -> None:
    account, same = scene.account(), key()
    for _ in range(2):
        scene.sender.send(Deposit(account_id=account, amount=1), key=same)
    scene.sender.work()


def draw_ids_by_chance(scene: Scene) -> None:
    """Each acceptance asks for the id twice."""

    def ids() -> Iterator[UUID]:
        while True:
            drawn = uuid4()
            yield from (drawn, drawn)

    drawing = ids()
    replace_ids(scene, lambda *_: next(drawing))


def replace_ids(scene: Scene, ids: Any) -> None:
    scene.patch.setattr("eventstore.journal.accept.command_id_for", ids)


def two_senders_have_the_same_key(scene: Scene) -> None:
    account, same, user = scene.account(), key(), f"bookkeeper{next(numbers)}"
    add_user(scene.connection, user, ["bookkeeper"])
    for principal in ("local", user):
        scene.sender.send(
            Deposit(account_id=account, amount=1), key=same, principal=principal
        )
    scene.sender.work()


def make_ids_of_keys_alone(scene: Scene) -> None:
    replace_ids(scene, lambda _, key: uuid5(NAMESPACE, key))


CONTROLS = [
    Control(
        "the fingerprint of a command's content",
        a_key_comes_with_other_content,
        take_any_content_for_the_same,
        SAME_KEY,
    ),
    Control(
        "a command's id is computed from its key",
        a_command_is_sent_again_as_its_answer_was_lost,
        draw_ids_by_chance,
        ONE_ID,
    ),
    Control(
        "a command's id is computed from its sender",
        two_senders_have_the_same_key,
        make_ids_of_keys_alone,
        ONE_ID,
    ),
]
