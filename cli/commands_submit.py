"""`recount commands submit`: accept the commands of a file, a line each."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import click

from cli.output import progress
from tasks.shop.startup_checks import refuse_another_currency
from tasks.shop.wiring import shop
from webapp.api import batch
from webapp.command_input import usable_key
from webapp.current_shop import LOCAL
from webapp.problems import Problem

MAX_SHOWN = 50
MAX_LINE_BYTES = 16 * 1024 * 1024
"""Bytes: a file without ends of lines must not be read as one."""


class File(NamedTuple):
    """The size and hash of a file, and the key of its commands."""

    lines: int
    digest: str


@click.command()
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", help="The key of the whole file; without it, its SHA-256.")
def submit(path: Path, key: str | None) -> None:
    """
    Accept the commands of a file, a line of JSON each, as `POST /api/commands/batch`.

    A line is {"type": …, "data": {…}}; "expected_version" and a "key" may come with it.
    What is accepted will take effect. The same file again is the same commands, so one
    that was interrupted is simply sent again. A file that has changed is another one,
    unless its lines have keys of their own or --key says that it is the same.
    """
    refuse_another_currency(shop())
    file = look_at(path)
    try:
        usable_key(key or file.digest)
    except Problem as problem:
        raise click.BadParameter(problem.detail, param_hint="--key") from problem
    accepted = known = wrong = 0
    refused: list[Mapping[str, Any]] = []
    with progress(path.name, file.lines) as done, path.open("rb") as pieces:
        sent = 0
        lines = batch.lines_of(whole_lines(pieces))
        for line in batch.accept_batch(
            shop(),
            lines,
            principal=LOCAL,
            key=key or file.digest,
            require=batch.nothing_required,
            limits=batch.OF_A_FILE,
        ):
            if line["status"] == "refused":
                wrong += 1
                refused += [line] if wrong <= MAX_SHOWN else []
            else:
                accepted += 1
                known += not line["is_new"]
            done(line["line"] - sent)
            sent = line["line"]
        done(file.lines - sent)
    report_answers(accepted, known, wrong, refused)


def look_at(path: Path) -> File:
    """Count the lines of a file and hash it, in one pass."""
    count = 0
    digest = hashlib.sha256()
    with path.open("rb") as pieces:
        for line in whole_lines(pieces):
            count += 1
            digest.update(line)
    return File(count, digest.hexdigest())


def whole_lines(file: BinaryIO) -> Iterator[bytes]:
    while line := file.readline(MAX_LINE_BYTES + 1):
        if len(line) > MAX_LINE_BYTES:
            raise click.ClickException(
                "a line has more than 16 MiB: a command a line is wanted"
            )
        yield line


def report_answers(
    accepted: int, known: int, wrong: int, refused: Sequence[Mapping[str, Any]]
) -> None:
    """Print how many lines were accepted; end with 1 if some are *wrong*."""
    for line in refused:
        faults = [f"{f['field']} {f['problem']}" for f in line.get("faults", ())]
        said = "; ".join(faults) or line["detail"]
        click.echo(f"line {line['line']:,}: {said}", err=True)
    if wrong > len(refused):
        click.echo(f"… and {wrong - len(refused):,} more", err=True)
    again = f", {known:,} of them before" if known else ""
    click.echo(f"{accepted:,} accepted{again}; {wrong:,} refused")
    if wrong:
        raise SystemExit(1)
