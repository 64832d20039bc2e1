"""The command line: each command is imported when it is run, and no other."""

import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from cli import cli
from cli.lazy import Lazy, LazyGroup
from tests.support.databases import MASTER_KEY, ROOT

WIDE = 500
HEAVY = ("celery", "kombu", "redis", "flask", "structlog", "gunicorn")


def all_lazy(group: LazyGroup, path: str = "") -> Iterator[tuple[str, Lazy]]:
    """Yield all commands that are imported when they are run, groups first."""
    for name, lazy in group.lazy.items():
        yield f"{path}{name}", lazy
        command = lazy.load()
        if isinstance(command, LazyGroup):
            yield from all_lazy(command, f"{path}{name} ")


COMMANDS = dict(all_lazy(cli))
OF_FLASK = ("routes", "run", "shell")


@pytest.mark.parametrize("path", [path for path in COMMANDS if path not in OF_FLASK])
def test_a_command_is_told_in_a_list_as_it_tells_itself(path: str) -> None:
    lazy = COMMANDS[path]
    command = lazy.load()

    assert command.name == path.split()[-1]
    assert command.get_short_help_str(WIDE) == lazy.short_help(WIDE)


def modules_after(*arguments: str) -> set[str]:
    """Return the packages that a command has imported when it ends."""
    code = (
        "import sys\n"
        "from cli import main\n"
        "try:\n    main()\n"
        "except SystemExit:\n    pass\n"
        "print(*{name.partition('.')[0] for name in sys.modules}, sep='\\n')\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env={
            "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nowhere",
            "REDIS_URL": "redis+socket:///nowhere",
            "SECRET_KEY": "of no use outside of the tests, 32+",
            "MASTER_KEY": MASTER_KEY,
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    return set(ended.stdout.split())


@pytest.mark.parametrize("arguments", [["--help"], ["log", "--help"]])
def test_a_list_of_commands_imports_none_of_them(arguments: list[str]) -> None:
    found = modules_after(*arguments)

    assert "click" in found
    assert found.isdisjoint({*HEAVY, "sqlalchemy", "psycopg", "eventstore", "domain"})


@pytest.mark.parametrize(
    "line",
    [
        "status",
        "log lag",
        "log kept",
        "commands list",
        "stream show order-1",
        "users list",
        "verify",
        "seals export --to /nowhere",
        "webhooks list",
        "webhooks test crm",
        "stores list",
    ],
)
def test_a_command_that_only_asks_imports_neither_broker_nor_web(line: str) -> None:
    found = modules_after(*line.split())

    assert "psycopg" in found
    assert found.isdisjoint(HEAVY)


def test_a_command_that_there_is_not_is_refused() -> None:
    with pytest.raises(click.UsageError, match="No such command 'nothing'"):
        cli.resolve_command(click.Context(cli), ["nothing"])
