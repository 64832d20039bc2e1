"""The walkthrough tells the way of a command in the order in which it is gone."""

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from eventstore.sql import FUNCTIONS, source
from readmodels import order_list, row_words
from tasks import catch_up, commands
from tasks.shop.wiring import Shop
from tests.support.databases import ROOT
from webapp import create_app

PAGE = ROOT / "docs" / "walkthrough.md"
ROOMS = tuple(
    f"{ROOT}/{room}/"
    for room in ("cli", "webapp", "tasks", "readmodels", "domain", "eventstore")
)

LEFT_OUT = {
    "webapp/current_shop.py": "it hands a view the shop",
    "eventstore/type_shape.py": "it looks at a class once in a process, if at all",
    "eventstore/sql/lock_key.sql": "it computes the key of every advisory lock",
    "eventstore/encryption/personal_fields.py": "it knows personal fields",
    "tasks/shop/logging.py": "it makes lines of what is logged",
    "eventstore/sql/last_drawn.sql": "it reads the sequence for the fence",
    "eventstore/sessions/session.py": "every statement passes it",
    "readmodels/words.py": "it is called once for the same name of a product or place",
}

ENTRY = re.compile(r"^(?:-|\d+\.) \[`([^`]+)`\]\(\.\./([^)]+)\), `(\w+)`", re.MULTILINE)
STORY = 15
"""Files that tell it; all others come after them."""


class Passed(NamedTuple):
    """A function that was entered, and the file that has it, from the root."""

    path: str
    function: str


class Entry(NamedTuple):
    """A line of the walkthrough: its file, where it links to, the function it names."""

    path: str
    link: str
    function: str


def entries() -> list[Entry]:
    return [Entry(*found) for found in ENTRY.findall(PAGE.read_text())]


def story() -> list[str]:
    return [entry.path for entry in entries()[:STORY]]


def examples() -> list[Any]:
    """Return the JSON that the page shows, in its order."""
    blocks = re.findall(r"^```json\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.S)
    return [json.loads(block) for block in blocks]


@contextmanager
def recorded(way: list[Passed], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Write down every function of ours that is entered, in Python and in SQL."""

    def enter(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(ROOMS):
            path = Path(code.co_filename).relative_to(ROOT)
            way.append(Passed(path.as_posix(), code.co_name))

    send = psycopg.Connection.execute

    def execute(self: Any, query: Any, *arguments: Any, **options: Any) -> Any:
        sys.setprofile(None)
        way.extend(functions_in(query if isinstance(query, str) else ""))
        sys.setprofile(enter)
        return send(self, query, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(psycopg.Connection, "execute", execute)
        sys.setprofile(enter)
        try:
            yield
        finally:
            sys.setprofile(None)


def functions_in(statement: str, *, besides: str = "") -> Iterator[Passed]:
    """Yield the engine's functions that *statement* calls, and those they call."""
    code = re.sub("--.*", "", statement).replace(
        # What the trigger of that table calls.
        "INSERT INTO public.events\n",
        "public.hold_fence(",
    )
    for name in re.findall(r"public\.(\w+)\(", code):
        if name in FUNCTIONS and name != besides:
            yield Passed(f"eventstore/sql/{name}.sql", name)
            yield from functions_in(source(name), besides=name)


@pytest.fixture
def client(shop: Shop) -> FlaskClient:
    return create_app(shop).test_client()


Send = Callable[[Mapping[str, Any]], TestResponse]


@pytest.fixture
def send(client: FlaskClient) -> Send:
    def send(body: Mapping[str, Any]) -> TestResponse:
        return client.post(
            "/api/commands", json=body, headers={"Idempotency-Key": body["type"]}
        )

    return send


@pytest.fixture
def way(
    shop: Shop, client: FlaskClient, send: Send, monkeypatch: pytest.MonkeyPatch
) -> list[Passed]:
    """The way of the walkthrough's own command, from its POST to its row."""
    alice, order, *_ = examples()
    # The page follows one read model; the others go the same way.
    shop.projections = [order_list.projection]
    shop.process_managers = []
    commands.run(shop, [command_id_of(send(alice))])
    catch_up.run(shop)
    # Else it would hang on the time since then, whether it is looked up again.
    client.application.extensions["remembered"].no_users_at = float("-inf")
    # Else the words of a city and a product are those of an earlier test.
    row_words.words_of_city.cache_clear()
    row_words.words_of_product.cache_clear()
    way: list[Passed] = []
    with recorded(way, monkeypatch):
        answer = send(order)
        commands.run(shop, [command_id_of(answer)])
        catch_up.run(shop)
    return way


def command_id_of(answer: TestResponse) -> UUID:
    assert answer.status_code == 202
    return UUID(answer.get_json()["id"])


def test_fifteen_files_tell_the_story_in_the_order_they_are_passed(
    way: list[Passed],
) -> None:
    """By the function that is told: `order.py` is asked before it decides."""
    section = PAGE.read_text().partition("## The story")[2].partition("\n## ")[0]
    told = [Passed(entry.path, entry.function) for entry in entries()[:STORY]]

    assert told == [one for one in dict.fromkeys(way) if one in told]
    assert len(ENTRY.findall(section)) == STORY


def test_the_walkthrough_names_every_other_file_in_the_order_it_is_passed(
    way: list[Passed],
) -> None:
    passed = dict.fromkeys(function.path for function in way)

    told = [entry.path for entry in entries()[STORY:]]
    assert told == [p for p in passed if p not in LEFT_OUT and p not in story()]


def test_the_walkthrough_names_functions_that_are_passed(way: list[Passed]) -> None:
    told = {Passed(entry.path, entry.function) for entry in entries()}

    assert told - set(way) == set()


def test_the_walkthrough_links_to_the_files_it_names() -> None:
    assert [entry.link for entry in entries()] == [entry.path for entry in entries()]


def test_the_walkthrough_shows_the_row_that_its_command_ends_in(
    client: FlaskClient, way: list[Passed]
) -> None:
    *_, row = examples()

    (seen,) = client.get("/api/orders").get_json()["orders"]
    assert {**seen, "created_at": None} == {**row, "created_at": None}
