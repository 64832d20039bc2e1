"""The command of the guide, typed into a copy of the project, and at work there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.databases import ROOT

PAGE = (ROOT / "docs" / "adding-a-command.md").read_text()
STEP = re.compile(
    r"^## \d+\. [^`\n]+`(?P<file>[^`]+)`\n.*?"
    r"^```(?P<kind>diff|python)\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
COPIED = (
    *("alembic", "cli", "docs", "domain", "embedded", "eventstore", "readmodels"),
    *("tasks", "tests", "webapp", "pyproject.toml", "README.md", "CHANGELOG.md"),
)
GENERATED = {
    "docs/api.md",
    "docs/glossary.md",
    "tests/domain/history/OrderPutOnHold-1.0.json",
    "tests/domain/history/shapes.txt",
}
HELD_AGAINST = (
    "tests/docs/test_generated.py",
    "tests/docs/test_lists.py",
    "tests/domain",
    "tests/eventstore/test_codec.py",
    "tests/tasks/test_old_events.py",
    "tests/tasks/test_snapshots.py::test_every_state_of_the_shop_comes_back_exactly",
    "tests/webapp/test_security.py::test_every_form_wants_its_token",
    "tests/webapp/test_who_may.py::test_every_command_wants_a_permission_that_some_role_has",
    "tests/webapp/test_holding.py",
)
WALK = '''
"""An order is put on hold, by its form and by the API, and its history says so."""

import re
from html import unescape

from flask.testing import FlaskClient

from tests.support.visiting import Browser, Place, Send, Work


def text_of(page: str) -> str:
    return re.sub(r"\\s+", " ", unescape(re.sub("<[^>]*>", " ", page)))


def test_by_its_form(browser: Browser, place: Place, work: Work, alice: str) -> None:
    place("paid")
    empty = browser.send("/orders/1/hold", reason="")
    sent = browser.send("/orders/1/hold", form="/orders/1", reason="No street")
    asked = browser.fate(sent)
    work(sent)

    assert empty.status_code == 422
    assert "Reason is missing." in empty.text
    assert "Order 1 is being put on hold" in asked
    assert "Order 1 is put on hold" in browser.fate(sent)
    said = text_of(browser.see("/orders/1"))
    assert "Order put on hold : No street" in said
    ids = re.findall(r'<(?:input|textarea) id="([^"]+)"', browser.see("/orders/1"))
    assert len(ids) == len(set(ids))


def test_by_the_api(
    client: FlaskClient, send: Send, place: Place, work: Work, alice: str
) -> None:
    place("paid")
    held = send("PutOrderOnHold", {"order_id": 1, "reason": "No street"}, key="hold")
    shipped = send("ShipOrder", {"order_id": 1, "tracking_no": "1Z999"}, key="ship")
    work(held, shipped)

    history = client.get("/api/orders/1").get_json()["history"]
    refused = client.get(shipped.headers["Location"]).get_json()
    assert [line["event"] for line in history][-1] == "OrderPutOnHold"
    assert refused["status"] == "rejected"
    assert refused["error"]["rule"] == "OrderOnHold"
'''


class Step(NamedTuple):
    """What the page has typed into a file: the whole of it, or a diff."""

    file: str
    kind: str
    code: str


STEPS = [Step(*found) for found in STEP.findall(PAGE)]


def type_in(step: Step, project: Path) -> None:
    """Do a step. Raises AssertionError where a place is not there exactly once."""
    file = project / step.file
    if step.kind == "python":
        file.write_text(step.code)
        return
    text = file.read_text()
    for hunk in step.code.split("@@\n")[1:]:
        lines = [line or " " for line in hunk.splitlines()]
        old = "".join(f"{line[1:]}\n" for line in lines if line[0] in " -")
        new = "".join(f"{line[1:]}\n" for line in lines if line[0] in " +")
        assert text.count(old) == 1, f"{step.file}:\n{old}"
        text = text.replace(old, new)
    file.write_text(text)


def files_of(project: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(project)): path.read_bytes()
        for path in project.rglob("*")
        if path.is_file() and "cache" not in str(path)
    }


def run(project: Path, *arguments: str) -> str:
    """Run a module of Python in the copy. Raises AssertionError where it fails."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=project,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project."""
    for name in COPIED:
        if (ROOT / name).is_file():
            shutil.copy(ROOT / name, tmp_path / name)
        else:
            ignored = shutil.ignore_patterns("__pycache__", "*cache")
            shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    return tmp_path


def test_a_command_is_ten_files_and_reaches_the_history_of_its_order(
    project: Path,
) -> None:
    before = files_of(project)
    for step in STEPS:
        type_in(step, project)
    written = run(project, "tests.generated").split()
    after = files_of(project)

    changed = {name for name in after if after[name] != before.get(name)}
    assert set(written) == GENERATED
    assert changed - GENERATED == {step.file for step in STEPS}
    typed = [step.file for step in STEPS if step.file.endswith(".py")]
    run(project, "ruff", "check", *typed)
    run(project, "ruff", "format", "--check", *typed)
    (project / "tests" / "webapp" / "test_holding.py").write_text(WALK)
    run(project, "pytest", "-q", "-p", "no:cacheprovider", *HELD_AGAINST)


def test_the_guide_names_each_file_once() -> None:
    files = [step.file for step in STEPS]

    assert len(files) == len(set(files)) == 10
    assert all(f"`{name}`" in PAGE for name in GENERATED)
