"""The lists in the pages are whole: statuses, and the variables that are read."""

import re

from eventstore.journal.schema import STATUSES
from tests.support.databases import ROOT


def test_operations_lists_every_setting() -> None:
    sources = ["tasks/settings.py", "embedded/help.txt"]
    code = "".join((ROOT / name).read_text() for name in sources)
    settings = set(re.findall(r'read\(\s*"([A-Z_]+)"', code))
    settings |= set(re.findall(r"^ {2}([A-Z_]{4,}) ", code, re.MULTILINE))

    page = (ROOT / "docs" / "operations.md").read_text()
    assert {name for name in settings if f"| `{name}` |" not in page} == set()


def test_the_glossary_knows_every_status_of_a_command() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text()

    assert [status for status in STATUSES if f"`{status}`" not in glossary] == []
