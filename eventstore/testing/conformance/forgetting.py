"""Forgetting: personal fields are encrypted, and unreadable once that is done."""

from eventstore.encryption.personal_fields import PLACEHOLDER
from eventstore.store import Store
from eventstore.testing.conformance import jars
from eventstore.testing.conformance.check import Check, Connect

GIFT = jars.PutCoin(jar="red", amount=5, giver="Alice")


def handle(store: Store, command: object) -> None:
    outcome = store.handle(command, deciders=jars.ENCRYPTED, actor="staff")
    assert outcome.status == "succeeded"


def jar(store: Store) -> jars.Jar:
    state = store.load([jars.RED], jars.ENCRYPTED).states[jars.RED]
    assert isinstance(state, jars.Jar)
    return state


@Check
def personal_fields_are_not_written_in_the_clear(connect: Connect) -> None:
    store = connect()
    handle(store, GIFT)

    (event,) = store.read_stream(jars.RED)
    assert "Alice" not in event.data
    assert '"amount": 5' in event.data or '"amount":5' in event.data


@Check
def personal_fields_are_read_with_the_key(connect: Connect) -> None:
    store, other = connect(), connect()
    handle(store, GIFT)
    handle(other, GIFT)

    assert jar(other) == jars.Jar(total=10, giver="Alice")


@Check
def who_is_forgotten_reads_as_forgotten(connect: Connect) -> None:
    store, other = connect(), connect()
    handle(store, GIFT)
    handle(store, jars.ForgetGiver(jar="red"))

    assert jar(other) == jars.Jar(total=5, giver=PLACEHOLDER)


@Check
def who_is_forgotten_stays_forgotten(connect: Connect) -> None:
    store = connect()
    handle(store, jars.ForgetGiver(jar="red"))
    handle(store, GIFT)

    assert jar(store) == jars.Jar(total=5, giver=PLACEHOLDER)
