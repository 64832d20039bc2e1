"""The version of the code that makes rows: folds, and what they import, wherever."""

import importlib
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from eventstore.log import code_version as versions
from eventstore.projections.fold_version import fold_version

FILES = {
    "trade/__init__.py": "",
    "trade/rules.py": "def price(event):\n    return event.amount\n",
    "trade/unused.py": "PORT = 1\n",
    "trade/events.py": """
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Sold:
    amount: int
""",
    "lists/__init__.py": "",
    "lists/helpers.py": "def plus(a, b):\n    return a + b\n",
    "lists/lookups.py": """
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Name:
    name: str


def key_of(fact):
    return fact.subject


def fold(row, fact):
    return Name(name=fact.subject)
""",
    "lists/sales.py": '''
from dataclasses import dataclass

from eventstore.projections.projection import Lookup, Projection
from lists import lookups
from lists.helpers import plus
from trade.events import Sold
from trade.rules import price


@dataclass(frozen=True, kw_only=True)
class Sale:
    number: str
    total: int


def key_of(fact, looked_up):
    return fact.subject


# How much was sold.
def fold(row, fact, looked_up):
    """Return the sum."""
    return Sale(number=fact.subject, total=plus(row.total, price(fact.event)))


projection = Projection(
    name="sales",
    row=Sale,
    key="number",
    events=[Sold],
    key_of=key_of,
    fold=fold,
    lookups=[
        Lookup(
            name="names",
            row=lookups.Name,
            key="name",
            key_of=lookups.key_of,
            fold=lookups.fold,
        )
    ],
)
''',
}

Version = Callable[..., str | None]


@pytest.fixture
def version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Version]:
    """Return the version of a projection, with a text of its files replaced."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(versions, "LOADED_AT", time.time() + 3_600)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def version_of(path: str = "", old: str = "", new: str = "") -> str | None:
        for name, text in FILES.items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            assert name != path or old in text
            file.write_text(text.replace(old, new) if name == path else text)
        forget()
        return fold_version(importlib.import_module("lists.sales").projection)

    def forget() -> None:
        for name in [
            n for n in sys.modules if n.partition(".")[0] in ("lists", "trade")
        ]:
            del sys.modules[name]
        importlib.invalidate_caches()
        versions.module.cache_clear()

    yield version_of
    forget()


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("lists/sales.py", "plus(row.total", "plus(1 + row.total"),
        ("lists/sales.py", "return fact.subject", "return fact.subject[1:]"),
        ("lists/helpers.py", "a + b", "a - b"),
        ("lists/lookups.py", "name=fact.subject", "name='x'"),
        ("trade/rules.py", "event.amount", "2 * event.amount"),
        ("trade/events.py", "amount: int", "amount: int = 1"),
    ],
)
def test_other_code_is_another_version(
    version: Version, path: str, old: str, new: str
) -> None:
    before = version()

    assert before is not None
    assert version(path, old, new) != before
    assert version() == before


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("lists/sales.py", "# How much was sold.", "# What was sold"),
        ("lists/sales.py", '"""Return the sum."""', '"""Return it."""'),
        ("trade/unused.py", "PORT = 1", "PORT = 2"),
    ],
)
def test_words_and_what_is_not_imported_are_no_other_version(
    version: Version, path: str, old: str, new: str
) -> None:
    assert version(path, old, new) == version()


def test_the_engine_is_no_code_of_a_projection(
    version: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`whole` and other defaults are its own: else each upgrade of it would tell."""
    before = version()
    read = versions.source_of

    def changed(name: str) -> tuple[str, bool]:
        source, is_package = read(name)
        assert not name.startswith("eventstore")
        return source, is_package

    monkeypatch.setattr(versions, "source_of", changed)
    assert version() == before


def test_without_a_source_there_is_no_version(
    version: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "LOADED_AT", 0.0)

    assert version() is None
