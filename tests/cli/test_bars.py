"""How far `why` and `audit` are is shown where they take long, to people alone."""

import re

import pytest
from click.testing import CliRunner

from cli import cli
from cli.bars import bars
from tests.support.desk import Do, alice, place

STEPS = re.compile(r"^(\w+): ([0-9]+) of ([0-9]+)$", re.MULTILINE)


def run(*typed: str) -> str:
    return CliRunner().invoke(cli, list(typed)).stdout


@pytest.fixture
def long_log(do: Do, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that is read in many steps, and tables that are looked at page by page."""
    do(alice, *[place] * 8)
    monkeypatch.setattr("eventstore.explaining.log_folding.SPAN", 2)
    monkeypatch.setattr("eventstore.explaining.audit_steps.AT_ONCE", 1)


def test_each_work_has_a_bar_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    with bars() as show:
        for done in (1, 4):
            show("first", done, 4)
        for done in (5, 10):
            show("second", done, 10)

    shown = STEPS.findall(capsys.readouterr().out)
    assert shown == [
        ("first", "1", "4"),
        ("first", "4", "4"),
        ("second", "5", "10"),
        ("second", "10", "10"),
    ]


def test_what_ends_at_once_and_what_programs_read_show_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with bars() as show:
        show("short", 4, 4)
    with bars(is_quiet=True) as show:
        show("long", 1, 4)

    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("long_log")
def test_a_fold_of_all_events_says_how_far_it_is() -> None:
    typed = ("why", "figures", "orders", "orders", "--most", "1000")
    shown = STEPS.findall(run(*typed))

    assert {label for label, *_ in shown} == {"figures"}
    assert len(shown) > 1
    assert shown[-1][1] == shown[-1][2]
    assert STEPS.findall(run(*typed, "--json")) == []
    assert STEPS.findall(run("why", "order_list", "1", "status")) == []


@pytest.mark.usefixtures("long_log")
def test_a_look_at_all_rows_says_how_far_it_is() -> None:
    shown = STEPS.findall(run("audit", "--all"))

    assert {label for label, *_ in shown} >= {"figures", "ordered_products", "pages"}
    for label in ("figures", "ordered_products"):
        last = [one for one in shown if one[0] == label][-1]
        assert last[1] == last[2]
    assert STEPS.findall(run("audit", "--all", "--json")) == []
