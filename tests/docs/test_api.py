"""The page about the API lists every address, and its examples are what is answered."""

import json
import re
from dataclasses import fields
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from domain.address import Address
from domain.orders.commands import Item
from tasks import catch_up, commands
from tasks.shop.wiring import Shop
from tests.support.databases import ROOT
from webapp import create_app, query_parameters

PAGE = (ROOT / "docs" / "api.md").read_text()
WALKTHROUGH = (ROOT / "docs" / "walkthrough.md").read_text()
JSON = r"```json\n(.*?)^```"
EXAMPLE = re.compile(rf"^```\nGET (\S+)\n```\n\n{JSON}", re.MULTILINE | re.DOTALL)
CHANGES = re.compile(
    r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00|[0-9a-f]{8}-[0-9a-f-]{27}"
    r"|\d{4}-\d\d-\d\d"
)


@pytest.fixture
def client(shop: Shop) -> FlaskClient:
    """A client of a shop in which the walkthrough's order was placed."""
    client = create_app(shop).test_client()
    for example in re.findall(JSON, WALKTHROUGH, re.MULTILINE | re.DOTALL)[:2]:
        command = json.loads(example)
        headers = {"Idempotency-Key": command["type"]}
        answer = client.post("/api/commands", json=command, headers=headers)
        commands.run(shop, [UUID(answer.get_json()["id"])])
    catch_up.run(shop)
    return client


def without_what_changes(answer: Any) -> Any:
    return json.loads(CHANGES.sub("…", json.dumps(answer)))


def test_every_address_is_listed(client: FlaskClient) -> None:
    rules = client.application.url_map.iter_rules()
    addresses = {
        re.sub(r"<(?:\w+(?:\([^)]*\))?:)?(\w+)>", r"{\1}", rule.rule)
        for rule in rules
        if rule.rule.startswith("/api/")
    }

    listed = set(re.findall(r"^\| `(?:GET|POST) (/api/[^`]+)`", PAGE, re.MULTILINE))
    assert listed == addresses


def test_every_parameter_is_told() -> None:
    names = {
        *query_parameters.OF_ORDERS,
        *query_parameters.OF_CUSTOMERS,
        "limit",
        "min_position",
    }

    assert {name for name in names if f"| `{name}` |" not in PAGE} == set()


@pytest.mark.parametrize(("path", "answer"), EXAMPLE.findall(PAGE))
def test_an_example_is_what_is_answered(
    client: FlaskClient, path: str, answer: str
) -> None:
    answered = client.get(path).get_json(force=True)

    assert without_what_changes(answered) == without_what_changes(json.loads(answer))


@pytest.mark.parametrize("part", [Item, Address])
def test_the_parts_of_a_command_are_listed_with_their_fields(part: Any) -> None:
    names = [field.name for field in fields(part)]

    assert [name for name in names if f"`{name}`" not in PAGE] == []
