"""What cannot be seen or misleads is refused at every door, and named."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from cli.commands_submit import submit
from domain.customers.commands import RegisterCustomer
from eventstore.journal.entries import find
from tasks import commands
from tasks.accept import accept
from tasks.shop.wiring import Shop
from tests.support.visiting import Browser, Send

TURNED = {"name": "Alice \u202ereverof"}
NAMED = "U+202E RIGHT-TO-LEFT OVERRIDE at position 7"


def test_a_form_that_misleads_is_shown_again(browser: Browser) -> None:
    page = browser.send("/customers/new", **TURNED)

    assert page.status_code == 422
    assert f"Name must not contain {NAMED}." in page.text


def test_a_name_of_nothing_is_refused_by_a_form(browser: Browser) -> None:
    page = browser.send("/customers/new", name="\u3164")

    assert page.status_code == 422


def test_the_api_names_what_misleads(send: Send) -> None:
    response = send("RegisterCustomer", TURNED)

    assert response.status_code == 422
    assert NAMED in response.text


def test_a_batch_refuses_the_line(client: FlaskClient) -> None:
    line = json.dumps({"type": "RegisterCustomer", "data": TURNED, "key": "a"})
    response = client.post(
        "/api/commands/batch", data=line, content_type="application/x-ndjson"
    )

    assert response.status_code == 422
    assert NAMED in response.text


def test_a_file_of_commands_is_told_the_line(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "commands"
    file.write_text(json.dumps({"type": "RegisterCustomer", "data": TURNED}))
    result = CliRunner().invoke(submit, [str(file)])

    assert result.exit_code == 1
    assert NAMED in result.output


def test_what_got_past_every_door_is_refused_in_its_turn(shop: Shop) -> None:
    command = RegisterCustomer(customer_id="ALICE", name=TURNED["name"])
    accepted = accept(shop, command, key="a", principal="staff")
    commands.run(shop, [accepted.command_id])
    with shop.engine.connect() as connection:
        entry = find(connection, accepted.command_id)

    assert entry is not None
    assert entry.status == "rejected"
    assert NAMED in str(entry.error)


@pytest.mark.parametrize("because", ["\u202e", "\u3164", "a\x07"])
def test_the_reason_for_taking_back_is_looked_at(
    client: FlaskClient, because: str
) -> None:
    response = client.post(
        "/api/commands/8b5b8c73-6b0f-5e36-9d8e-0a6d4c1f2b7a/cancel",
        json={"because": because},
    )

    assert response.status_code == 422
