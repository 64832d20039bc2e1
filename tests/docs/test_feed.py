"""The page about following the log: its example, and its follower, which is run."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from flask import Flask

from tasks.shop.wiring import Shop
from tests.support.databases import ROOT
from tests.support.desk import Do, alice
from tests.support.following import append_events, serving
from tests.support.pages_of_docs import find_block
from tests.support.users import bearing, token_of, user
from tests.support.waiting import wait_until
from webapp import create_app
from webapp.api import events
from webapp.feed import follower, subscribers, tally
from webapp.serving import connection

PAGE = (ROOT / "docs" / "feed.md").read_text()


@pytest.fixture
def app(shop: Shop) -> Flask:
    return create_app(shop)


def test_the_example_has_the_fields_of_an_answer(
    app: Flask, shop: Shop, do: Do
) -> None:
    do(alice)
    user(shop, "audrey", "auditor")
    headers = bearing(token_of(shop, "audrey", ["events.read"]))
    answer = app.test_client().get("/api/events?limit=2", headers=headers).get_json()
    example = json.loads(find_block(PAGE, "json"))

    assert list(example) == list(answer)
    (shown,), (event,) = example["events"], answer["events"]
    assert list(shown) == list(event)
    assert shown["data"] == event["data"]
    assert (shown["personal"], shown["actor"]) == (event["personal"], event["actor"])


def test_the_page_says_the_limits_as_they_are() -> None:
    assert f"1 to {events.MAX_EVENTS}; {events.A_PAGE} without it" in PAGE
    assert f"{events.MAX_SECONDS_TO_WAIT} at most" in PAGE
    assert f"At most {tally.MAX_STREAMS} streams" in PAGE
    assert f"Beyond {tally.MAX_WAITING} of them" in PAGE
    assert f"after {subscribers.SECONDS_BETWEEN_SIGNS:.0f} seconds of silence" in PAGE
    assert f"takes nothing for {connection.SECONDS_TO_TAKE:.0f} seconds" in PAGE
    assert follower.SECONDS_BETWEEN_CHECKS <= 30
    assert follower.SECONDS_BETWEEN_LOOKS == 0.25


def test_the_follower_goes_on_where_it_was_killed(
    app: Flask, shop: Shop, tmp_path: Path
) -> None:
    code = tmp_path / "follower.py"
    code.write_text(find_block(PAGE, "python"))
    assert len([line for line in find_block(PAGE, "python").splitlines() if line]) <= 32
    user(shop, "audrey", "auditor")
    token = token_of(shop, "audrey", ["events.read"])
    seen: list[str] = []
    with shop.lent() as log, serving(app) as port:
        environment = {
            **os.environ,
            "SHOP": f"http://127.0.0.1:{port}",
            "TOKEN": token,
        }
        for first in (1, 301):
            append_events(log, 300, first=first)
            output = tmp_path / f"{first}.txt"
            with output.open("w") as file:
                running = subprocess.Popen(
                    [sys.executable, str(code)],
                    cwd=tmp_path,
                    env=environment,
                    stdout=file,
                )
            try:

                def count(output: Path = output) -> int:
                    return output.read_text().count("\n")

                wait_until(lambda c=count: c() >= 300, "it has them")  # type: ignore[misc]
                # It waits at the end of the log, and is told of the next one.
                append_events(log, 1, first=first * 1_000)
                wait_until(lambda c=count: c() >= 301, "it waits")  # type: ignore[misc]
                time.sleep(0.1)
            finally:
                running.kill()
                running.wait()
            seen += output.read_text().splitlines()
        rows = log.execute("SELECT id, type FROM events ORDER BY id").fetchall()
    known = [f"{position} {kind}" for position, kind in rows]
    assert list(dict.fromkeys(seen)) == known
    assert len(seen) < len(known) + 100
