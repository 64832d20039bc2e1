"""What the pages tell people to type with curl is answered."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from eventstore.projections.following import follow
from readmodels import order_list
from tasks.shop.local_access import write_header
from tasks.shop.wiring import Shop
from tests.support.answering import serving
from tests.support.databases import ROOT
from tests.support.settings import SECRET_KEY
from tests.support.users import token_of, user
from webapp import create_app

# That page's is answered by a tree that its own test types.
OF_ANOTHER_TREE = ROOT / "docs" / "adding-a-command.md"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES.remove(OF_ANOTHER_TREE)
COMMAND = re.compile(r"^curl (?:.*\\\n)*.*$", re.MULTILINE)
ADDRESS, FILE, TOKEN = "http://127.0.0.1:5000", "@.local/header", "$TOKEN"
COMMANDS = [
    pytest.param(command, id=f"{page.name} {number}")
    for page in PAGES
    for number, command in enumerate(COMMAND.findall(page.read_text()))
    # A stream has no end, and wants the server of ours: test_streams_of_events.py.
    if " -N " not in command
]

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")


def test_there_are_examples_by_file_and_by_token() -> None:
    shown = "\n".join(str(command.values[0]) for command in COMMANDS)

    assert FILE in shown
    assert TOKEN in shown


@pytest.mark.parametrize("command", COMMANDS)
def test_what_a_page_says_to_type_is_answered(
    shop: Shop, tmp_path: Path, command: str
) -> None:
    header = write_header(tmp_path, SECRET_KEY)
    assert (FILE in command) != (TOKEN in command), "no secret is typed by hand"
    if TOKEN in command:
        user(shop, "alice", "admin")
        command = command.replace(TOKEN, token_of(shop, "alice"))
    with shop.lent() as connection:
        # An operator has said so: `docs/changes.md` has the command.
        follow(connection, order_list.projection)
    with serving(create_app(shop)) as address:
        command = command.replace(ADDRESS, address).replace(FILE, f"@{header}")
        curl, *options = shlex.split(command)
        done = subprocess.run(
            [curl, "--silent", "--show-error", "--fail-with-body", *options],
            capture_output=True,
            text=True,
            timeout=30,
        )

    assert done.returncode == 0, done.stdout + done.stderr
