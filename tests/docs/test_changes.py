"""The page about following rows: its example, and its follower, which is run."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask

from eventstore.projections.following import follow
from tasks.shop import rebuild
from tasks.shop.wiring import Shop
from tests.support.databases import ROOT
from tests.support.desk import Do, alice, pay, place, rename
from tests.support.following import serving
from tests.support.pages_of_docs import find_block
from tests.support.users import bearing, token_of, user
from tests.support.waiting import wait_until
from webapp import create_app
from webapp.api import changes, events
from webapp.problems import KINDS

PAGE = (ROOT / "docs" / "changes.md").read_text()


@pytest.fixture
def app(shop: Shop) -> Flask:
    with shop.lent() as connection, connection.transaction():
        (projection,) = (p for p in shop.projections if p.name == "order_list")
        follow(connection, projection)
    return create_app(shop)


def test_the_example_has_the_fields_of_an_answer(
    app: Flask, shop: Shop, do: Do
) -> None:
    do(alice, place)
    user(shop, "audrey", "auditor")
    headers = bearing(token_of(shop, "audrey", ["events.read"]))
    address = "/api/changes?readmodel=order_list&limit=1"
    answer = app.test_client().get(address, headers=headers).get_json()
    example = json.loads(find_block(PAGE, "json"))

    assert sorted(example) == sorted(answer)
    (shown,), (change,) = example["changes"], answer["changes"]
    assert sorted(shown) == sorted(change)
    assert {**shown["row"], "created_at": None} == {**change["row"], "created_at": None}
    assert example["hidden"] == answer["hidden"]


def test_the_page_says_limits_and_problems_as_they_are() -> None:
    assert f"1 to {changes.MAX_CHANGES}; {changes.A_PAGE} without it" in PAGE
    assert f"{events.MAX_SECONDS_TO_WAIT} at\nmost" in PAGE
    for status, name in re.findall(r"^\| (\d{3}) `([a-z-]+)`", PAGE, re.MULTILINE):
        assert KINDS[name].status == int(status)


def test_the_follower_keeps_a_copy_through_its_death_and_a_rebuild(
    app: Flask, shop: Shop, do: Do, tmp_path: Path
) -> None:
    code = tmp_path / "follower.py"
    code.write_text(find_block(PAGE, "python"))
    user(shop, "staff", "admin")
    token = token_of(shop, "staff", ["events.read", "personal"])

    def copied() -> dict[int, tuple[str, str]]:
        try:
            with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
                rows = copy.execute("SELECT key, row FROM orders").fetchall()
        except sqlite3.OperationalError:
            # It is being made.
            return {}
        found = {key: json.loads(row) for key, row in rows}
        return {n: (row["status"], row["customer_name"]) for n, row in found.items()}

    def is_copied() -> bool:
        with shop.lent() as connection:
            rows = connection.execute(
                "SELECT order_id, status, customer_name FROM readmodels.order_list"
            ).fetchall()
        return copied() == {number: (status, name) for number, status, name in rows}

    with serving(app) as port:
        environment = {
            **os.environ,
            "SHOP": f"http://127.0.0.1:{port}",
            "TOKEN": token,
        }
        do(alice, place, place)
        for step in (pay, rename):
            running = subprocess.Popen(
                [sys.executable, str(code)], cwd=tmp_path, env=environment
            )
            try:
                wait_until(is_copied, "it has all rows")
                do(step)
                wait_until(is_copied, "it waits for changes")
            finally:
                running.kill()
                running.wait()
            (projection,) = (p for p in shop.projections if p.name == "order_list")
            rebuild.rebuild(shop, projection, lambda _: None)
    assert set(copied().values()) == {
        ("paid", "Alice Retro"),
        ("pending", "Alice Retro"),
    }
