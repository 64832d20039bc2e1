"""The lists in the pages are whole: statuses, and the variables that are read."""

import re

from eventstore.journal.schema import STATUSES
from tests.support.databases import ROOT


def settings_of_the_shop() -> set[str]:
    code = (ROOT / "tasks" / "shop" / "settings.py").read_text()
    return set(re.findall(r'read\(\s*"([A-Z_]+)"', code))


def test_operations_lists_every_setting() -> None:
    shown = (ROOT / "embedded" / "help.txt").read_text()
    settings = settings_of_the_shop()
    settings |= set(re.findall(r"^ {2}([A-Z_]{4,}) ", shown, re.MULTILINE))

    page = (ROOT / "docs" / "operations.md").read_text()
    assert {name for name in settings if f"| `{name}` |" not in page} == set()


def test_the_help_lists_every_setting() -> None:
    shown = (ROOT / "embedded" / "help.txt").read_text()
    listed = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)*\b", shown))

    assert settings_of_the_shop() - listed == set()


def test_the_glossary_knows_every_status_of_a_command() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text()

    assert [status for status in STATUSES if f"`{status}`" not in glossary] == []
