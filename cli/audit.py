"""`recount audit`: whether rows are what their events make of them, now."""

import sys
from collections.abc import Iterator
from typing import Any

import click

from cli.bars import bars
from cli.output import json_of
from cli.parked import known
from eventstore.explaining.audit_notes import AuditReport
from eventstore.explaining.audit_records import lone_audit
from eventstore.explaining.row_audit import TABLE, WrongRow
from eventstore.projections.comments import personal_columns
from tasks.audit import audit_of
from tasks.shop.printable import printable
from tasks.shop.wiring import shop
from webapp.json_values import as_json

MAX_SHOWN = 50
PERSONAL = "(personal)"


@click.command(short_help="Compare rows with what their events make of them.")
@click.argument("read_models", nargs=-1, metavar="[READMODEL…]")
@click.option(
    "--rows",
    type=click.IntRange(1),
    default=1_000,
    show_default=True,
    help="Look at so many rows, and a few more.",
)
@click.option("--all", "is_full", is_flag=True, help="Look at all rows once.")
@click.option("--json", "is_json", is_flag=True, help="One JSON object, for programs.")
def audit(
    read_models: tuple[str, ...], rows: int, is_full: bool, is_json: bool
) -> None:
    """
    Compare rows with what their events make of them, here and in the read stores.

    They are the rows that were longest not looked at, by the command and by the workers
    of AUDIT_SECONDS. Read models that do not name the streams of their rows, figures
    and ordered_products, are folded from all events. Personal values are not shown. It
    repairs nothing: `recount rebuild` does, with --key or --accept-differences. Ends
    with 1 if a row is wrong.
    """
    projections = [known(name) for name in read_models] or shop().projections
    with shop().lent() as connection, lone_audit(connection) as is_alone:
        if not is_alone:
            raise click.ClickException(
                "Another audit is at work: try again in some seconds."
            )
        with (
            audit_of(
                shop(),
                connection,
                projections,
                seconds_of_a_fold=None,
                keeps_walks=not is_full and not read_models,
            ) as auditing,
            bars(is_quiet=is_json) as show,
        ):
            limit = None if is_full else rows
            report = auditing.run(rows=limit, folds=True, told=show)
    if is_json:
        click.echo(json_of(as_object(report)))
    else:
        for line in lines_of(report):
            click.echo(line)
    sys.exit(int(bool(report.wrong)))


def as_object(report: AuditReport) -> dict[str, Any]:
    return {
        "rows": report.rows,
        "left_out": report.left_out,
        "seconds": round(report.seconds, 3),
        "outdated": sorted(report.outdated),
        "wrong": [row_as_object(row) for row in each_once(report)],
    }


def each_once(report: AuditReport) -> Iterator[WrongRow]:
    """Yield the wrong rows; one may be met by both walks."""
    seen = set()
    for row in report.wrong:
        about = (row.read_model, row.key, row.place)
        if about not in seen:
            seen.add(about)
            yield row


def row_as_object(row: WrongRow) -> dict[str, Any]:
    return {
        "read_model": row.read_model,
        "key": row.key,
        "place": row.place,
        "kind": row.kind,
        "columns": {
            name: {"shown": as_json(shown), "wanted": as_json(wanted)}
            for name, shown, wanted in values_of(row)
        },
    }


def values_of(row: WrongRow) -> Iterator[tuple[str, Any, Any]]:
    """Yield the columns that differ, with what is there and what should be."""
    personal = personal_columns(known(row.read_model).row)
    for name in row.columns:
        if name in personal:
            yield name, PERSONAL, PERSONAL
        else:
            yield name, getattr(row.shown, name), getattr(row.wanted, name)


def lines_of(report: AuditReport) -> Iterator[str]:
    """Yield the report in lines, fit for a terminal."""
    wrong = list(each_once(report))
    for row in wrong[:MAX_SHOWN]:
        yield printable(line_of(row))
    if len(wrong) > MAX_SHOWN:
        yield f"and {len(wrong) - MAX_SHOWN:,} more: --json has all"
    for name in sorted(report.outdated):
        yield f"{name} was made by other code, and left out: recount rebuild {name}"
    left = f", {report.left_out:,} could not be made once more" * bool(report.left_out)
    yield (
        f"{report.rows:,} rows looked at in {report.seconds:.1f} s, {len(wrong):,}"
        f" wrong{left}"
    )


def line_of(row: WrongRow) -> str:
    where = "" if row.place == TABLE else f" in the store {row.place}"
    about = f"{row.read_model} {row.key}{where}"
    if row.kind == "missing":
        return f"{about}: is missing"
    if row.kind == "unexpected":
        return f"{about}: should not be there"
    if row.kind == "different":
        return f"{about}: is not as in the table"
    told = [
        f"{name} {as_json(shown)}, should be {as_json(wanted)}"
        if shown is not PERSONAL
        else f"{name} (personal)"
        for name, shown, wanted in values_of(row)
    ]
    return f"{about}: {'; '.join(told)}"
