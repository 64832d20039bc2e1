"""`recount stream replay`: shows event by event what each changed in the state."""

import sys
import traceback
from collections.abc import Iterator

import click

from cli.output import error_as_json, event_as_json, json_of
from cli.stream_as_of import as_of, as_of_options, find
from cli.stream_words import Words, align
from domain.money import Money
from eventstore.aggregates.decider import category_of
from eventstore.aggregates.replaying import Step, replay_stream
from tasks.shop.differences import ABSENT, Difference, differences
from tasks.shop.printable import printable
from tasks.shop.wiring import shop
from webapp.notation import plain_notation

QUIT = ("q", "Q", "")
NEXT = ("\r", "\n", " ")


@click.command(short_help="Show event by event what each changed in the state.")
@click.argument("stream_id", metavar="STREAM")
@as_of_options
@click.option("--all", "is_all", is_flag=True, help="All at once, without asking.")
@click.option("--json", "is_json", is_flag=True, help="A JSON object an event.")
def replay(
    stream_id: str, version: int | None, moment: str | None, is_all: bool, is_json: bool
) -> None:
    """
    Show a stream event by event, with what each changed in the state.

    On a terminal Enter shows the next event, and q ends the replay. If an event cannot
    be read, or evolve fails on it, it is shown with the state before it and the error,
    and the command ends with 1. STREAM and TIME are as in `recount stream show`.
    """
    asked = as_of(version, moment)
    if category_of(stream_id) not in shop().deciders.by_category:
        raise click.ClickException(
            printable(f"Nothing decides on {stream_id}: it has no state to replay.")
        )
    with shop().lent() as connection:
        found = find(connection, stream_id, asked)
        steps = replay_stream(
            connection, stream_id, shop().deciders, up_to=found.version
        )
        asks = not is_all and not is_json and is_interactive()
        error = go_through(steps, found.version, asks=asks, is_json=is_json)
    if error is not None:
        sys.exit(1)


def is_interactive() -> bool:
    """Return whether input and output are a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def go_through(
    steps: Iterator[Step], last: int, *, asks: bool, is_json: bool
) -> Exception | None:
    """Show the steps; return the error that the last of them ended with."""
    for step in steps:
        click.echo(json_of_step(step) if is_json else describe_step(step))
        if step.error is not None:
            return step.error
        if asks and step.event.version < last and not goes_on():
            break
    return None


def goes_on() -> bool:
    """Ask whether to continue, in a line that is erased afterwards."""
    click.echo("-- Enter: next, q: quit -- ", nl=False)
    key = read_key()
    while key not in (*QUIT, *NEXT):
        key = read_key()
    click.echo("\r\x1b[K", nl=False)
    return key in NEXT


def read_key() -> str:
    """Return the key that was pressed, or an empty text at the end of input."""
    try:
        return click.getchar()
    except EOFError:
        return ""


def describe_step(step: Step) -> str:
    words = Words(notation=plain_notation(shop().settings))
    words = words.of_currency(*step.facts, step.after, step.before)
    lines = words.head_of(step.event)
    if step.error is not None:
        lines += words.lines_of_event(step.event, step.facts, step.before)
        lines += ["       the state before it"]
        lines += align(words.lines_of(step.before))
        lines += [printable(f"       {type(step.error).__name__}: {step.error}")]
        lines += [printable(f"       in {place_of(step.error)}")]
        return "\n".join(lines)
    found = list(differences(step.before, step.after, whole=(Money,)))
    lines += [f"         {words_of(change, words)}" for change in found]
    return "\n".join(lines if found else [*lines, "         changed nothing"])


def words_of(change: Difference, words: Words) -> str:
    path = printable(change.path or "state")
    name = path.rpartition(".")[2]
    return f"{path}: {words.word(name, change.before)} -> " + words.word(
        name, change.after
    )


def place_of(error: Exception) -> str:
    """Return file and line of the code that failed."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{frame.name}, {frame.filename}:{frame.lineno}"


def json_of_step(step: Step) -> str:
    """Return an event and its changes; for a failed one also the state before it."""
    changes = [
        {
            "field": change.path,
            "before": plain(change.before),
            "after": plain(change.after),
        }
        for change in differences(step.before, step.after)
    ]
    failed = (
        {"before": step.before, "error": error_as_json(step.error)}
        if step.error is not None
        else {}
    )
    return json_of({**event_as_json(step.event), "changes": changes, **failed})


def plain(value: object) -> object:
    return None if value is ABSENT else value
