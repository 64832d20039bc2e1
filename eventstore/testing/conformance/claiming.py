"""Claiming: a value that one stream at a time may have."""

from eventstore.claims import ClaimChange
from eventstore.errors import AlreadyClaimed, Clash, WrongExpectedVersion
from eventstore.log.append import ANY_VERSION, NO_STREAM
from eventstore.store import Store
from eventstore.testing.conformance.check import Check, Connect, expect_error
from eventstore.testing.conformance.jars import BLUE, RED, coin


def claim(stream_id: str, value: bytes = b"a", scope: str = "name") -> ClaimChange:
    return ClaimChange(scope, value, stream_id)


def release(stream_id: str, value: bytes = b"a") -> ClaimChange:
    return ClaimChange("name", value, stream_id, is_released=True)


def append(store: Store, *changes: ClaimChange, expected: int = ANY_VERSION) -> None:
    """Append a coin for each stream that changes what it claims."""
    streams = dict.fromkeys(change.stream_id for change in changes)
    store.append(
        [(stream_id, coin()) for stream_id in streams],
        expected=dict.fromkeys(streams, expected),
        claims=changes,
    )


@Check
def what_a_stream_has_claimed_no_other_can(connect: Connect) -> None:
    store = connect()
    append(store, claim(RED))

    with expect_error(AlreadyClaimed) as seen:
        append(store, claim(BLUE, b"b"), claim(BLUE))
    assert seen[0].clashes == (Clash("name", b"a", BLUE, None),)
    assert store.version(BLUE) == 0
    # Nor has it claimed the other one.
    append(store, claim(RED, b"b"))


@Check
def another_value_or_scope_is_another_claim(connect: Connect) -> None:
    store = connect()
    append(store, claim(RED))
    append(store, claim(BLUE, b"b"), claim(BLUE, scope="number"))

    assert store.version(BLUE) == 1


@Check
def a_stream_may_claim_again_what_it_has(connect: Connect) -> None:
    store = connect()
    append(store, claim(RED))
    append(store, claim(RED))

    assert store.version(RED) == 2


@Check
def what_was_released_can_be_claimed(connect: Connect) -> None:
    store = connect()
    append(store, claim(RED))
    append(store, release(RED))
    append(store, claim(BLUE))

    with expect_error(AlreadyClaimed):
        append(store, claim(RED))


@Check
def a_stream_releases_only_what_is_its_own(connect: Connect) -> None:
    store = connect()
    append(store, claim(RED))
    append(store, release(BLUE))

    with expect_error(AlreadyClaimed):
        append(store, claim(BLUE))


@Check
def a_value_goes_from_one_stream_to_another_in_one_append(connect: Connect) -> None:
    store = connect()
    append(store, claim(RED))
    append(store, claim(BLUE), release(RED))

    with expect_error(AlreadyClaimed):
        append(store, claim(RED))


@Check
def an_append_that_is_refused_claims_nothing(connect: Connect) -> None:
    store = connect()
    append(store, claim(RED, b"b"))
    with expect_error(WrongExpectedVersion):
        append(store, claim(RED), release(RED, b"b"), expected=NO_STREAM)

    append(store, claim(BLUE))
    with expect_error(AlreadyClaimed):
        append(store, claim(BLUE, b"b"))
