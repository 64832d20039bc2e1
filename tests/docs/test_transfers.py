"""The table of a transfer's states names tests that there are."""

import re

from domain.transfers.transfer import Status
from tests.support.databases import ROOT

PAGE = (ROOT / "docs" / "transfers.md").read_text()
TESTS = (ROOT / "tests" / "tasks" / "test_transfers.py").read_text()


def test_each_state_is_shown_by_a_test() -> None:
    table = PAGE.partition("## The states")[2]
    rows = [row for row in table.splitlines() if row.startswith("| ")][2:]
    named = [re.findall(r"`(test_\w+)`", row) for row in rows]
    there = set(re.findall(r"^def (test_\w+)", TESTS, re.MULTILINE))

    assert len(rows) > len(Status)
    assert [names for names in named if not names] == []
    assert {name for names in named for name in names} <= there
