"""The version of the code that folds: changed code has another, words have not."""

import importlib
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from eventstore.log import code_version as versions
from eventstore.log.code_version import code_version

ACCOUNT = '''
"""An account."""
from bank import rules

# What is left of it.
def evolve(state, event):
    """Return what is left."""
    return rules.less(state, event)
'''
RULES = """
from .deep import money

LEAST = 0


def less(state, event):
    return max(money.taken(state, event), LEAST)
"""
MONEY = """
def taken(state, event):
    return state - event
"""
FILES = {
    "bank/__init__.py": "",
    "bank/account.py": ACCOUNT,
    "bank/rules.py": RULES,
    "bank/deep/__init__.py": "",
    "bank/deep/money.py": MONEY,
    "bank/web.py": "PORT = 1\n",
    "elsewhere.py": "ANSWER = 42\n",
}

Version = Callable[..., str | None]


@pytest.fixture
def version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Version]:
    """Return the version of a fold, with a text of its files replaced by another."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(versions, "LOADED_AT", time.time() + 3_600)

    def version_of(path: str = "", old: str = "", new: str = "") -> str | None:
        for name, text in FILES.items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            assert name != path or old in text
            file.write_text(text.replace(old, new) if name == path else text)
        forget()
        fold = importlib.import_module("bank.account").evolve
        return code_version([fold])

    def forget() -> None:
        for name in [n for n in sys.modules if n.partition(".")[0] == "bank"]:
            del sys.modules[name]
        importlib.invalidate_caches()
        versions.module.cache_clear()

    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield version_of
    forget()


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("bank/account.py", "rules.less(state, event)", "state - event"),
        ("bank/rules.py", "LEAST = 0", "LEAST = None"),
        ("bank/rules.py", "max(", "min("),
        ("bank/deep/money.py", "state - event", "state + event"),
        ("bank/__init__.py", "", "RATE = 2\n"),
    ],
)
def test_code_that_changes_has_another_version(
    version: Version, path: str, old: str, new: str
) -> None:
    """Also that of modules that are imported by others, relative or not."""
    before = version()

    assert before is not None
    assert version(path, old, new) not in (before, None)


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("bank/account.py", "An account.", "One of the accounts."),
        ("bank/account.py", "Return what is left.", "Tell the rest."),
        ("bank/account.py", "# What is left of it.", "# Whatever."),
        ("bank/account.py", "(state, event):", "(\n    state,\n    event,\n):"),
        ("bank/rules.py", "LEAST = 0\n", "\n\nLEAST   =   0\n"),
        ("bank/web.py", "PORT = 1", "PORT = 2"),
        ("elsewhere.py", "42", "43"),
    ],
)
def test_words_and_what_is_not_imported_make_no_other(
    version: Version, path: str, old: str, new: str
) -> None:
    assert version(path, old, new) == version()


def test_a_fold_that_is_wrapped_is_known_by_what_is_in_it(version: Version) -> None:
    from functools import partial, wraps

    plain = version()
    fold = sys.modules["bank.account"].evolve

    @wraps(fold)
    def wrapped(state: Any, event: Any) -> Any:
        return fold(state, event)

    assert code_version([partial(fold)]) == code_version([wrapped]) == plain


def test_it_is_the_same_in_every_process() -> None:
    """Whatever the order of sets is there."""
    found = {
        subprocess.run(
            [
                sys.executable,
                "-c",
                "from tasks.shop.deciders import ACCOUNTS\n"
                "print(ACCOUNTS.snapshots.code)",
            ],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(found) == 1
    assert found != {"None\n"}


def test_a_package_in_an_archive_has_its_source(
    tmp_path: Path, version: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = version()
    archive = tmp_path / "bank.zip"
    with zipfile.ZipFile(archive, "w") as written:
        for name in FILES:
            written.write(tmp_path / name, name)
    for name in [n for n in sys.modules if n.partition(".")[0] == "bank"]:
        del sys.modules[name]
    versions.module.cache_clear()
    monkeypatch.syspath_prepend(str(archive))
    account = importlib.import_module("bank.account")

    assert str(account.__file__).startswith(str(archive))
    assert code_version([account.evolve]) == plain


def test_code_without_a_source_has_no_version(
    version: Version, caplog: pytest.LogCaptureFixture
) -> None:
    made: dict[str, Any] = {"__name__": "typed"}
    exec("def evolve(state, event): return state", made)

    assert code_version([made["evolve"]]) is None
    assert "there is no module typed in a file" in caplog.text


def test_code_that_was_replaced_under_a_running_process_has_none(
    version: Version, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What runs is the old one, and its snapshots would be taken for the new one's."""
    version()
    versions.module.cache_clear()
    monkeypatch.setattr(versions, "LOADED_AT", time.time() - 3_600)

    assert code_version([sys.modules["bank.account"].evolve]) is None
    assert "was changed since it was loaded: restart" in caplog.text


def test_a_folder_without_a_file_of_its_own_has_no_source_that_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "fold.py").write_text("def evolve(state, event): ...\n")
    fold = importlib.import_module("plain.fold")
    monkeypatch.setattr(versions, "LOADED_AT", time.time())
    # As Python does where it keeps what it has compiled, and everybody in its folder.
    (tmp_path / "plain" / "cache").touch()
    (tmp_path / "cache").touch()

    assert code_version([fold.evolve]) is not None
