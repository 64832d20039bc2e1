"""An e-mail address belongs to one customer."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from click.testing import CliRunner

from domain.customers.commands import ChangeCustomerDetails, RegisterCustomer
from eventstore.journal.entries import Entry, find
from tasks import commands
from tasks.accepting import accept
from tasks.bootstrap import Shop
from tasks.claiming import fill
from tests.support.databases import migrate
from tests.support.desk import Do, alice
from tests.support.histories import History, customer, order, run_import
from webapp.cli.claims import claims

ALIAS = RegisterCustomer(customer_id="ALIAS", name="Alias", email="Alice@Example.COM")


def end_of(shop: Shop, command: Any, key: str = "last") -> Entry:
    """Accept a command, run it, and tell what became of it."""
    accepted = accept(shop, command, key=key, principal="staff")
    commands.run(shop, [accepted.command_id])
    with shop.engine.connect() as connection:
        entry = find(connection, accepted.command_id)
    assert entry is not None
    return entry


def test_an_address_is_registered_once_however_it_is_written(
    shop: Shop, do: Do
) -> None:
    do(alice)
    error = end_of(shop, ALIAS).error

    assert error is not None
    assert error["rule"] == "EmailAlreadyRegistered"
    assert "ALICE" not in str(error)


def test_an_address_that_was_given_up_is_free(shop: Shop, do: Do) -> None:
    do(alice, ChangeCustomerDetails(customer_id="ALICE", name="Alice"))

    assert end_of(shop, ALIAS).status == "succeeded"


def test_customers_of_before_get_their_claims_by_the_migration(
    shop: Shop, do: Do
) -> None:
    do(alice)
    forget_claims(shop)
    migrate(shop.settings.database_url)

    assert end_of(shop, ALIAS).status == "rejected"


def test_of_two_of_before_the_later_one_is_told_and_stays(shop: Shop, do: Do) -> None:
    do(alice)
    forget_claims(shop)
    do(ALIAS)
    forget_claims(shop)

    assert [stream_id for stream_id, _ in fill(shop)] == ["customer-ALIAS"]


def test_an_imported_customer_claims_their_address(shop: Shop, tmp_path: Path) -> None:
    imported = customer(email="alice@example.com")
    run_import(History([order(1)], customers=[imported]).write(tmp_path / "old"))

    assert end_of(shop, ALIAS).status == "rejected"


def test_an_import_tells_who_has_the_address_of_an_earlier_customer(
    shop: Shop, tmp_path: Path
) -> None:
    both = [customer(i, email="alice@example.com") for i in ("ALICE", "BOB")]
    result = run_import(History([order(1)], customers=both).write(tmp_path / "old"))

    assert "no claim for customer-BOB: an earlier one has its customer-email" in (
        result.output
    )
    assert "alice@example.com" not in result.output


def test_claims_are_filled_in_by_a_command(shop: Shop, do: Do) -> None:
    do(alice)
    forget_claims(shop)
    result = CliRunner().invoke(claims)

    assert result.output == "all others have what they claim\n"
    assert end_of(shop, ALIAS).status == "rejected"


def forget_claims(shop: Shop) -> None:
    with shop.autocommitting.connect() as connection:
        connection.execute(sa.text("DELETE FROM unique_claims"))
