"""An e-mail address belongs to one customer."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from click.testing import CliRunner

from cli.claims import claims
from domain.customers.commands import ChangeCustomerDetails, RegisterCustomer
from eventstore.journal.entries import Entry, find
from tasks import commands
from tasks.accept import accept
from tasks.shop.claims_backfill import fill
from tasks.shop.wiring import Shop
from tests.support.databases import migrate
from tests.support.desk import Do, alice
from tests.support.histories import History, customer, order, run_import

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


def test_two_domains_of_idna_2008_are_two_customers(shop: Shop, do: Do) -> None:
    do(with_address("FIRST", SHARP))
    second = end_of(shop, with_address("SECOND", DOUBLE))
    third = end_of(shop, with_address("THIRD", PUNYCODE), key="third")

    assert second.status == "succeeded"
    assert third.error is not None
    assert third.error["rule"] == "EmailAlreadyRegistered"


def test_a_claim_of_an_earlier_version_is_written_anew(shop: Shop, do: Do) -> None:
    claimed_by_an_earlier_version(shop, do)
    assert list(fill(shop)) == []

    # Its own address is still claimed, and it no longer claims another's.
    assert end_of(shop, with_address("SECOND", PUNYCODE)).status == "rejected"
    other = end_of(shop, with_address("SECOND", DOUBLE), key="other")
    assert other.status == "succeeded"


def test_who_changes_the_address_lets_go_of_an_earlier_versions_claim(
    shop: Shop, do: Do
) -> None:
    claimed_by_an_earlier_version(shop, do)
    do(ChangeCustomerDetails(customer_id="FIRST", name="First", email="a@b.example"))

    assert end_of(shop, with_address("SECOND", DOUBLE)).status == "succeeded"


SHARP, DOUBLE, PUNYCODE = (
    f"alice@{domain}.example.de"
    for domain in ("stra\u00dfe", "strasse", "xn--strae-oqa")
)


def with_address(customer_id: str, email: str) -> RegisterCustomer:
    return RegisterCustomer(customer_id=customer_id, name=customer_id, email=email)


def claimed_by_an_earlier_version(shop: Shop, do: Do) -> None:
    """Register FIRST as it was when domains were compared with `ss` for `ß`."""
    do(with_address("FIRST", SHARP))
    forget_claims(shop)
    do(with_address("OLD", DOUBLE))
    with shop.autocommitting.connect() as connection:
        connection.execute(
            sa.text("UPDATE unique_claims SET stream_id = :first"),
            {"first": "customer-FIRST"},
        )
    do(ChangeCustomerDetails(customer_id="OLD", name="Old"))


def forget_claims(shop: Shop) -> None:
    with shop.autocommitting.connect() as connection:
        connection.execute(sa.text("DELETE FROM unique_claims"))
