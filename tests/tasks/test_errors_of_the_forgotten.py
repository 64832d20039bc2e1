"""What errors said of somebody goes when they are forgotten."""

import threading
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from domain.customers.commands import ForgetCustomer
from eventstore.journal.entries import find, find_incidents
from tasks import command_operations, commands
from tasks.accept import accept
from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, bob, cancel, pay, place, rename
from tests.support.waiting import somebody_waits, wait_until

SECRET = "Alice Retro"

forget = ForgetCustomer(customer_id="ALICE")


def send(shop: Shop, command: Any) -> UUID:
    accepted = accept(shop, command, key=str(uuid4()), principal="staff")
    return accepted.command_id


def with_bug(shop: Shop, meanwhile: Any = lambda: None) -> Shop:
    """Return the shop on a day when its rules quote a customer, and fail."""

    def decide(*_: Any, **__: Any) -> Any:
        meanwhile()
        raise KeyError(SECRET)

    slices = [replace(slice_, decide=decide) for slice_ in shop.slices]
    broken = replace(shop, slices=slices)
    vars(broken)["engine"] = shop.engine
    return broken


def fail(shop: Shop, command: Any) -> UUID:
    """Let *command* fail with an error that quotes a customer."""
    command_id = send(shop, command)
    commands.run(with_bug(shop), [command_id])
    assert SECRET in said(shop, command_id)
    return command_id


def said(shop: Shop, command_id: UUID) -> str:
    """Return all that the journal has of what went wrong with a command."""
    with shop.engine.connect() as connection:
        entry = find(connection, command_id)
        assert entry is not None
        return str([entry.error, *find_incidents(connection, command_id)])


@pytest.fixture
def desk(shop: Shop, do: Do) -> Shop:
    """A shop where Alice and Bob are known, and Alice has an order."""
    do(alice, bob, place)
    return shop


def test_of_a_failed_command_about_the_forgotten_the_class_of_its_error_stays(
    desk: Shop, do: Do
) -> None:
    failed = fail(desk, rename)
    do(forget)

    with desk.engine.connect() as connection:
        entry = find(connection, failed)
        (incident,) = find_incidents(connection, failed)
    expected = {"error": "KeyError", "message": "(forgotten)"}
    assert entry is not None
    assert (entry.status, entry.error, incident.detail) == (
        "failed",
        expected,
        expected,
    )


@pytest.mark.parametrize("command", [forget, place, cancel])
def test_it_reaches_whatever_is_about_them_in_any_stream(
    desk: Shop, do: Do, command: Any
) -> None:
    """One of their own stream, one with a key of theirs, one of an order of theirs."""
    failed = fail(desk, command)
    do(forget)

    assert SECRET not in said(desk, failed)


@pytest.mark.parametrize("act", [command_operations.retry, command_operations.abandon])
def test_it_reaches_what_was_tried_again_or_given_up(
    desk: Shop, do: Do, act: Any
) -> None:
    failed = fail(desk, cancel)
    act(desk, failed, by="olga", because="a test wants it")
    do(pay, forget)

    assert SECRET not in said(desk, failed)
    assert "olga" in said(desk, failed)


def test_what_is_about_somebody_else_stays(desk: Shop, do: Do) -> None:
    failed = fail(desk, replace(bob, name="Bob Retro"))
    do(forget)

    assert SECRET in said(desk, failed)


def test_what_a_rule_said_stays(desk: Shop, do: Do) -> None:
    rejected = send(desk, alice)
    commands.run(desk, [rejected])
    do(forget)

    assert "Customer ALICE is registered already." in said(desk, rejected)


def test_an_error_that_comes_while_they_are_forgotten_is_kept_without_words(
    desk: Shop, do: Do
) -> None:
    late = send(desk, place)
    forgetting = desk.engine.connect()

    def forget_now() -> None:
        """Begin when the late one has been read, so that it could quote."""
        forgetting.execute(sa.text("SELECT destroy_keys('{customer-ALICE}')"))

    work = threading.Thread(
        target=commands.run, args=(with_bug(desk, forget_now), [late])
    )
    try:
        work.start()
        wait_until(lambda: somebody_waits(desk.engine), "the late one waits")
    finally:
        forgetting.commit()
        forgetting.close()
        work.join()

    assert "KeyError" in said(desk, late)
    assert SECRET not in said(desk, late)
