"""`recount stream export` and `import`: a stream out of production, to a developer."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result

from cli import stream
from domain.customers.commands import ForgetCustomer
from domain.products.commands import AddProduct
from eventstore.log.append import append
from eventstore.log.events import Metadata, NewEvent
from tasks import commands
from tasks.accept import accept
from tasks.shop import wiring
from tasks.shop.deciders import CUSTOMERS
from tasks.shop.setting_values import master_keys
from tasks.shop.settings import Settings
from tasks.shop.wiring import Shop
from tests.support import desk
from tests.support.databases import Databases
from tests.support.desk import Do

PERSONAL = ("Alice", "alice@example.com", "Orchestra", "London", "UK")
STREAMS = ("customer-ALICE", "order-1")


@pytest.fixture
def production(shop: Shop, do: Do) -> Shop:
    """A shop with Alice, and an order of hers that is paid."""
    do(
        replace(desk.alice, address=desk.LONDON),
        desk.place,
        desk.pay,
        desk.bob,
    )
    return shop


@pytest.fixture
def developer(
    production: Shop, settings: Settings, databases: Databases
) -> Iterator[Shop]:
    """Another shop, with other secrets, that takes the place of production."""
    with databases.lend() as url:
        shop = Shop(
            replace(
                settings,
                database_url=url,
                secret_key="another secret, of a developer's own",
                master_keys=master_keys("YW5vdGhlciBtYXN0ZXIga2V5LCBhIGRldmVsb3Blci4="),
            )
        )
        shop.ensure_read_models()
        yield shop
        shop.engine.dispose()


def call(shop: Shop, *arguments: str, given: bytes | None = None) -> Result:
    wiring.use(shop)
    return CliRunner().invoke(stream, arguments, input=given)


def exported(shop: Shop, *arguments: str) -> bytes:
    result = call(shop, "export", *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout_bytes


def imported(shop: Shop, content: bytes, *arguments: str) -> Result:
    return call(shop, "import", "-", *arguments, given=content)


def shown(shop: Shop, stream_id: str) -> Any:
    return json.loads(call(shop, "show", stream_id, "--json").stdout)


def rows(shop: Shop, query: str) -> list[Any]:
    with shop.lent() as connection:
        return connection.execute(query).fetchall()


def count(shop: Shop) -> int:
    return int(rows(shop, "SELECT count(*) FROM events")[0][0])


def test_a_stream_comes_over_without_what_is_personal(
    production: Shop, developer: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if it were of thousands of events: several appends, one transaction.
    monkeypatch.setattr("tasks.shop.stream_transfer.import_streams.MAX_EVENTS", 2)
    content = exported(production, *STREAMS)
    assert not [
        told for told in PERSONAL if told.encode() in content.replace(b"ALICE", b"")
    ]

    rehearsed = imported(developer, content, "--dry-run")
    assert rehearsed.exit_code == 0, rehearsed.output
    assert rehearsed.stdout == (
        "to import  3 events of customer-ALICE, order-1; nothing was written\n"
    )
    assert count(developer) == 0
    assert rows(developer, "SELECT * FROM vault.keys") == []
    assert rows(developer, "SELECT is_called FROM order_numbers") == [(False,)]

    result = imported(developer, content)
    assert result.exit_code == 0, result.output
    assert "imported   3 events of customer-ALICE, order-1" in result.stdout
    assert "caught up  the read models" in result.stdout
    # The masks agree, and the rest is what it was.
    there, order = shown(developer, "customer-ALICE"), shown(developer, "order-1")
    before = shown(production, "order-1")
    details = there["state"]["details"]
    assert details["email"].endswith("@masked.example")
    address = details["address"]
    assert order["events"][0]["data"]["address"] == address
    assert address["city"].startswith("city ")
    assert order["state"] == before["state"]
    for ours, theirs in zip(order["events"], before["events"], strict=True):
        assert ours["occurred_at"] == theirs["occurred_at"]
        assert ours["metadata"]["source"] == "an export"
        assert ours["metadata"]["event_id"] != theirs["metadata"]["event_id"]
        assert ours["metadata"]["command_id"] == theirs["metadata"]["command_id"]
    # Encrypted by keys of the developer's, claimed, and numbers go on behind it.
    kept = rows(developer, "SELECT data FROM events WHERE data ? '$personal'")
    assert len(kept) == 2
    assert rows(developer, "SELECT stream_id FROM unique_claims") == [
        ("customer-ALICE",)
    ]
    assert rows(developer, "SELECT nextval('order_numbers')") == [(2,)]
    assert rows(developer, "SELECT customer_name FROM readmodels.order_list") == [
        (details["name"],)
    ]

    again = imported(developer, content)
    assert again.exit_code == 0
    assert "nothing to do: all 3 events are in the log" in again.stdout
    assert count(developer) == 3


def test_a_product_an_address_and_a_note_come_over_and_tell_nothing_of_people(
    production: Shop, developer: Shop, do: Do
) -> None:
    do(desk.add_clock, desk.raise_price, desk.to_paris, desk.note)
    streams = (*STREAMS, "product-RC-1")

    content = exported(production, *streams)
    assert not [
        told for told in ("Paris", "Lauriston", "wrapped") if told.encode() in content
    ]
    result = imported(developer, content)

    assert result.exit_code == 0, result.output
    assert "imported   7 events of customer-ALICE, order-1, product-RC-1" in (
        result.stdout
    )
    *_, moved, noted = shown(developer, "order-1")["events"]
    assert moved["data"]["address"]["city"].startswith("city ")
    assert moved["data"]["customer_id"] == "ALICE"
    assert noted["data"]["text"].startswith("text ")
    for name in ("order-1", "product-RC-1"):
        assert shown(developer, name)["state"] == shown(production, name)["state"]
    # The address, the new one and the note are encrypted by keys of the developer's.
    kept = rows(developer, "SELECT data FROM events WHERE data ? '$personal'")
    assert len(kept) == 4
    prices = rows(developer, "SELECT product_id, unit_price FROM readmodels.products")
    assert prices == [("RC-1", 5_250)]
    assert "nothing to do: all 7 events" in imported(developer, content).stdout
    # What was changed in the file's shop is other content here.
    unmasked = exported(production, *streams, "--unmasked")
    refuse(developer, unmasked, "order-1 was imported with other content")


def test_numbers_of_products_go_on_behind_an_imported_one(
    production: Shop, developer: Shop, do: Do
) -> None:
    lamp = AddProduct(name="LAMP", unit_price=999, currency="EUR")
    do(lamp, lamp)

    imported(developer, exported(production, "product-2"))

    assert rows(developer, "SELECT nextval('product_numbers')") == [(3,)]


def test_prices_in_another_currency_are_refused(
    production: Shop, developer: Shop, do: Do
) -> None:
    do(desk.add_clock)
    developer.settings = replace(developer.settings, currency="USD")

    refuse(
        developer,
        exported(production, "product-RC-1"),
        "has amounts in EUR, and CURRENCY is USD",
    )


def test_unmasked_it_comes_over_as_it_is(
    production: Shop, developer: Shop, tmp_path: Path
) -> None:
    path = tmp_path / "streams.jsonl"
    result = call(production, "export", *STREAMS, "--unmasked", "--output", str(path))
    assert "3 events of 2 streams, personal data in the clear" in result.stderr
    assert path.stat().st_mode & 0o077 == 0
    assert call(developer, "import", str(path)).exit_code == 0

    for name in STREAMS:
        assert shown(developer, name)["state"] == shown(production, name)["state"]
    address = shown(developer, "order-1")["events"][0]["data"]["address"]
    assert address["city"] == "London"
    # The masked file has other content for the same events.
    refused = imported(developer, exported(production, *STREAMS))
    assert refused.exit_code == 1
    assert "customer-ALICE was imported with other content" in refused.stderr


def test_who_was_forgotten_stays_so(production: Shop, developer: Shop, do: Do) -> None:
    do(ForgetCustomer(customer_id="ALICE"))
    content = exported(production, *STREAMS)
    assert imported(developer, content).exit_code == 0

    told = call(developer, "show", "order-1").stdout
    assert "Address          forgotten" in told
    assert shown(developer, "customer-ALICE")["state"]["is_forgotten"]
    # And nobody gets a key for her any more.
    query = "SELECT subject FROM vault.keys WHERE destroyed_at IS NOT NULL"
    assert ("customer-ALICE",) in rows(developer, query)
    assert "nothing to do" in imported(developer, content).stdout


def test_an_export_tells_what_it_has_not(production: Shop, tmp_path: Path) -> None:
    result = call(production, "export", "order-1")
    assert result.exit_code == 0
    assert "note       customer-ALICE, whom they are about" in result.stderr

    path = tmp_path / "streams.jsonl"
    for missing in ("order-7", "order-\x1b[2J", "order-\0"):
        result = call(production, "export", "order-1", missing, "--output", str(path))
        assert result.exit_code == 1
        assert "There is no stream order-" in result.stderr
        assert result.stderr[:-1].isprintable()
        assert not path.exists()


def write(shop: Shop, stream_id: str, type_: str, data: dict[str, Any]) -> None:
    event = NewEvent(
        type=type_,
        data=json.dumps(data),
        metadata=Metadata(
            event_id=uuid4(), correlation_id=uuid4(), causation_id=uuid4(), schema="1.0"
        ),
    )
    with shop.lent() as connection:
        append(connection, [(stream_id, event)], expected={stream_id: -2})


def test_where_it_clashes_nothing_is_imported(
    production: Shop, developer: Shop
) -> None:
    content = exported(production, *STREAMS)

    refuse(developer, exported(production, "order-1"), "is about customer-ALICE")
    refuse(developer, content[:-1], "standard input is cut off")
    refuse(developer, b'{"form": "\\u001b[2J"}\n', "has the form")
    euros = developer.settings
    developer.settings = replace(euros, currency="USD")
    refuse(developer, content, "has amounts in EUR, and CURRENCY is USD")
    developer.settings = euros
    # Whoever has what Alice claims; a command that waits; the stream itself.
    mask = json.loads(content.splitlines()[1])["data"]["email"]
    send(developer, replace(desk.alice, customer_id="CAROL", email=mask))
    refuse(developer, content, "customer-ALICE claims the customer-email of another")
    accept(developer, desk.alice, key="waits", principal="staff")
    refuse(developer, content, "customer-ALICE has no event yet, but a command")
    write(developer, "order-1", "OrderShipped", {})
    refuse(developer, content, "order-1 has other events")
    assert count(developer) == 2


def refuse(shop: Shop, content: bytes, reason: str) -> None:
    before = count(shop)
    for arguments in ([], ["--dry-run"]):
        result = imported(shop, content, *arguments)
        assert result.exit_code == 1, result.output
        assert reason in result.stderr
        assert "Nothing was imported." in result.stderr
        assert result.stderr.replace("\n", "").isprintable()
        assert count(shop) == before


def send(shop: Shop, command: Any) -> None:
    wiring.use(shop)
    accepted = accept(shop, command, key=str(uuid4()), principal="staff")
    commands.run(shop, [accepted.command_id])


def test_what_has_gone_on_since_is_not_patched_up(
    production: Shop, developer: Shop
) -> None:
    assert imported(developer, exported(production, *STREAMS)).exit_code == 0
    write(production, "order-1", "OrderShipped", {})
    reason = "order-1 was imported with 2 of these 3 events"
    refuse(developer, exported(production, *STREAMS), reason)

    # What this code does not know is named, by line.
    write(production, "order-1", "OrderMelted", {})
    write(production, "note-1", "NoteTaken", {"text": "\x1b[2J"})
    masked = call(production, "export", "order-1")
    assert masked.exit_code == 1
    assert "No class for events of type OrderMelted" in masked.stderr
    content = exported(production, *STREAMS, "note-1", "--unmasked")
    refuse(developer, content, "2 events are unknown to this code")
    told = imported(developer, content).stderr
    assert "line 6: No class for events of type OrderMelted" in told
    assert "line 7: nothing decides on note-1" in told


def test_a_stream_on_which_the_rules_fail_comes_over_to_be_replayed(
    production: Shop, developer: Shop
) -> None:
    def fail(customer: Any, event: Any) -> Any:
        raise ZeroDivisionError("melted")

    content = exported(production, *STREAMS)
    developer.slices = [replace(CUSTOMERS, evolve=fail), *developer.slices[1:]]
    result = imported(developer, content)

    assert result.exit_code == 0, result.output
    assert "customer-ALICE has no state, and claims nothing" in result.stderr
    assert call(developer, "replay", "customer-ALICE").exit_code == 1
