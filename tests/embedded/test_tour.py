"""The tour: what it shows is so, and nothing of it is left behind."""

import io
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded.folders import ROOT, SHORT, Folders
from embedded.tour import screen
from embedded.tour.own_shop import (
    SETTINGS,
    STARTING,
    STOPPING,
    OwnShop,
    environment_for,
)
from embedded.tour.step import Step
from embedded.tour.steps import STEPS
from embedded.tour.tour import parser, show_step
from embedded.tour.visit import StepFailed, Visit
from tests.embedded.running import wait_for
from tests.support.tour_page import COMMAND, PAGE, comparable, page_of, run_tour


def step(show: object) -> Step:
    return Step(title="Title", statements=(1,), text="Text", show=show)  # type: ignore[arg-type]


@pytest.fixture
def visit(tmp_path: Path) -> Visit:
    """A visit to a shop that is not up."""
    return Visit(OwnShop(Folders(tmp_path), environment_for(tmp_path)))


def left_folders() -> set[Path]:
    return {*SHORT.glob("recount-tour-*"), *Path("/var/lib").glob("recount-*")}


@pytest.mark.long
def test_the_tour_shows_what_its_page_says_and_leaves_nothing() -> None:
    before = left_folders()

    ended = run_tour()

    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr
    assert comparable(page_of(ended.stdout)) == comparable(PAGE.read_text())
    assert left_folders() == before


@pytest.fixture
def tour_asking(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A tour that waits for Enter before its first step, and its shop's folder."""
    log = tmp_path / "output"
    with log.open("w") as output:
        tour = subprocess.Popen(
            [*COMMAND[:-1], "--step", "1"],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
        )
    try:
        wait_for(lambda: "Enter: 1. " in log.read_text(), within=STARTING)
        found = re.search(r"@(/tmp/recount-tour-\w+)/header", log.read_text())
        assert found is not None
        yield tour, Path(found[1])
    finally:
        # Also after a failure it is to stop what it has started.
        tour.terminate()
        tour.communicate(timeout=STOPPING)


@pytest.mark.long
def test_a_tour_that_is_ended_by_ctrl_c_stops_its_shop(
    tour_asking: tuple[subprocess.Popen[bytes], Path],
) -> None:
    tour, state = tour_asking
    assert has_processes(state)

    tour.send_signal(signal.SIGINT)

    assert tour.wait(STOPPING) == 130
    assert not state.exists()
    assert not has_processes(state)


def has_processes(state: Path) -> bool:
    """Return whether a process of a shop in the folder *state* runs."""
    mark = f"STATE_DIR={state}".encode()
    for place in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in place.read_bytes().split(b"\0"):
                return True
        except OSError:
            continue
    return False


def test_ten_steps_are_shown_whose_texts_have_two_to_four_sentences() -> None:
    assert len(STEPS) == 10
    for one in STEPS:
        sentences = re.findall(r"\.(?:\s|$)", one.text)
        assert 2 <= len(sentences) <= 4, one.title
        assert one.statements


def test_a_step_that_fails_says_so(
    visit: Visit, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(visit: Visit) -> None:
        visit.check("one is two", False)

    assert not show_step(visit, 3, step(fail))
    assert "recount: step 3 failed: this does not hold: one is two" in (
        capsys.readouterr().err
    )


def test_a_step_that_cannot_reach_the_shop_fails(
    visit: Visit, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(visit: Visit) -> None:
        raise ConnectionRefusedError("nobody is there")

    assert not show_step(visit, 1, step(fail))
    assert "nobody is there" in capsys.readouterr().err


def test_a_command_that_fails_fails_its_step(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OwnShop, "running", NothingRuns)

    with pytest.raises(StepFailed, match="ended with status 3"):
        visit.run([sys.executable, "-c", "raise SystemExit(3)"])


def test_a_command_that_does_not_end_fails_its_step(
    visit: Visit,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(OwnShop, "running", NothingRuns)
    monkeypatch.setattr("embedded.tour.visit.LIMIT", 1.0)
    waits = "import time; print('begun', flush=True); time.sleep(60)"

    def wait(visit: Visit) -> None:
        visit.run([sys.executable, "-c", waits])

    assert not show_step(visit, 4, step(wait))
    told = capsys.readouterr()
    assert "step 4 failed: that command did not end within 1 s" in told.err
    assert "  | begun" in told.out


def test_an_answer_without_json_fails_its_step(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Visit, "fetch", lambda *_: (502, b"<html>Bad gateway"))

    with pytest.raises(StepFailed, match="/api/orders was answered with 502"):
        visit.call("GET", "/api/orders")


def test_rows_and_pages_of_the_past_are_waited_for_and_no_error_is(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OwnShop, "address", "http://shop")
    answers = iter([(503, b"{}"), (200, b'{"orders": [1]}')])
    monkeypatch.setattr(Visit, "fetch", lambda *_: next(answers))
    rows: object = visit.wait_for_rows("orders", "/api/orders?as_of=2026-01-01")
    assert rows == [1]

    answers = iter([(202, b""), (202, b""), (200, b"")])
    visit.page("/orders?as_of=2026-01-01")
    assert list(answers) == []
    assert visit.places == [("browser", "http://shop/orders?as_of=2026-01-01")]

    answers = iter([(400, b'{"title": "wrong"}')] * 2)
    with pytest.raises(StepFailed, match="is answered with 400"):
        visit.wait_for_rows("orders", "/api/orders?customer_id=X")
    with pytest.raises(StepFailed, match="is answered with 400"):
        visit.page("/orders?customer_id=X")


def test_an_answer_of_another_form_fails_its_step_in_one_line(
    visit: Visit,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(Visit, "fetch", lambda *_: (500, b'{"title": "An\\nerror"}'))

    def look(visit: Visit) -> None:
        _, account = visit.call("GET", "/api/accounts/A")
        visit.check("it is empty", account["balance"] == 0)

    assert not show_step(visit, 5, step(look))
    [line] = capsys.readouterr().err.splitlines()
    assert line == (
        "recount: step 5 failed: an answer is not as expected: KeyError: 'balance'"
    )


class NothingRuns:
    environment: dict[str, str] = {}  # noqa: RUF012  # it stands in for a record


def test_what_does_not_happen_fails_its_step_after_a_while(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("embedded.tour.visit.PATIENCE", 0.1)
    started = time.monotonic()

    with pytest.raises(StepFailed, match="it rains"):
        visit.wait_until(lambda: False, "it rains")
    assert time.monotonic() - started < 5


def test_a_long_output_is_cut_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    screen.show_output("\n".join(map(str, range(100))))

    assert f"… and {100 - screen.MAX_LINES} more lines" in capsys.readouterr().out


def test_the_end_of_the_input_ends_the_tour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))

    with pytest.raises(KeyboardInterrupt):
        screen.wait_for_enter("next")


def test_the_shop_of_the_tour_is_not_that_of_the_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = {"DATABASE_URL": "postgresql://theirs", "PORT": "80", "MASTER_KEY": "x"}
    for name, value in {**theirs, "POSTGRES_BIN": "/programs"}.items():
        monkeypatch.setenv(name, value)

    environment = environment_for(tmp_path)

    assert [environment[name] for name in theirs] == ["", "", ""]
    assert environment["STATE_DIR"] == str(tmp_path)
    assert environment["POSTGRES_BIN"] == "/programs"
    assert SETTINGS.items() <= environment.items()


def test_a_step_that_is_not_there_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["--step", "11"])
    assert "invalid choice: 11" in capsys.readouterr().err
