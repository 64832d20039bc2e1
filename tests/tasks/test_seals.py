"""Seals of the shop: made on beat, and kept in a folder, a file a day."""

import json
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from tasks import seals
from tasks.app import app
from tasks.broker.queues import QUEUES
from tasks.schedule import entries
from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, cancel, place


@pytest.fixture
def kept(shop: Shop, do: Do, tmp_path: Path) -> Path:
    """The folder of a shop that has sealed an order and exported that."""
    do(alice, place)
    seals.run(shop)
    folder = tmp_path / "kept"
    shop.settings = replace(shop.settings, seals_export_dir=folder)
    seals.export_seals()
    return folder


def test_what_has_happened_is_sealed(shop: Shop, do: Do) -> None:
    do(alice, place)

    assert seals.run(shop).handled == 2
    assert seals.run(shop).handled == 0


def test_a_file_a_day_grows_with_the_day(shop: Shop, do: Do, kept: Path) -> None:
    do(cancel)
    seals.run(shop)
    seals.export_seals()

    (file,) = kept.iterdir()
    assert json.loads(file.read_text())["up_to"] == 3


def test_seals_that_contradict_an_older_file_are_not_exported(
    shop: Shop, kept: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (today,) = kept.iterdir()
    yesterday = today.rename(kept / "seals-1996-07-04.jsonl")
    with shop.lent() as connection:
        connection.execute("ALTER TABLE seals DISABLE TRIGGER seals_refuse_change")
        connection.execute("DELETE FROM seals WHERE number > 0")

    with caplog.at_level(logging.ERROR):
        seals.export_seals()

    assert list(kept.iterdir()) == [yesterday]
    assert "seals not exported" in caplog.text
    assert "cut off" in caplog.text


def test_a_log_without_seals_exports_nothing(
    shop: Shop, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert seals.export_daily(shop, tmp_path) is None
    assert "Nothing is sealed yet" in caplog.text


def test_a_folder_that_cannot_be_written_is_said(
    shop: Shop, do: Do, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")

    assert seals.export_daily(shop, tmp_path / "file") is None
    assert "seals not exported" in caplog.text


def test_a_file_that_is_no_export_is_left_and_said(
    shop: Shop, kept: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (kept / "other.jsonl").write_text("hunter2\n")

    assert seals.export_daily(shop, kept) is None
    assert "other.jsonl is no file of exported seals" in caplog.text


def test_without_a_folder_nothing_is_exported(shop: Shop) -> None:
    seals.export_seals()

    assert "export seals" not in entries(shop.settings)


@pytest.mark.parametrize("name", ["seal", "export seals"])
def test_beat_sends_it_to_a_queue_that_is_served(name: str, shop: Shop) -> None:
    settings = replace(shop.settings, seals_export_dir=Path("/kept"))
    entry = entries(settings)[name]

    assert entry["options"]["expires"] < entry["schedule"]
    assert entry["task"] in app.tasks
    queue = app.conf.task_routes[entry["task"]]["queue"]
    assert queue.partition(".")[0] in QUEUES
