"""`recount log kept` and `recount log drop`: the logs from before a rewrite."""

import sys

import click
import msgspec

from eventstore.errors import NoSuchKeptLog
from eventstore.rewriting.archived_logs import drop_kept, find_kept
from tasks.shop.printable import printable
from tasks.shop.wiring import shop
from webapp.notation import plain_notation


@click.command("kept")
@click.option("--json", "as_json", is_flag=True, help="Lines of JSON.")
def list_archived_logs(as_json: bool) -> None:
    """List the old logs that rewrites have kept."""
    with shop().of_owner() as owner, owner.lent() as connection:
        logs = find_kept(connection)
    for log in logs:
        if as_json:
            click.echo(msgspec.json.encode(log))
            continue
        until = plain_notation(shop().settings).write_moment(log.rewritten_at)
        click.echo(
            f"{log.name}: {log.events:,} events, {log.size / 1_000_000:,.1f} MB, the"
            f" log until {until}"
        )
        for finding in log.findings:
            click.echo(f"    it was not what was sealed: {printable(finding)}")
    if not logs and not as_json:
        click.echo("No old log is kept.")


@click.command("drop", short_help="Delete an old log, for ever.")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def drop_archived_log(name: str, yes: bool) -> None:
    """
    Delete an old log, for ever: NAME is one that `recount log kept` lists.

    With it ends the only copy of the events as they were first written; exports of its
    seals have nothing left that they could be held against; and what was in the clear
    in it is gone from this database, though not from older backups of it.
    """
    with shop().of_owner() as owner, owner.lent() as connection:
        known = {log.name: log for log in find_kept(connection)}
        if name in known and not yes:
            click.echo(
                f"{name} has {known[name].events:,} events. Nobody can undo this."
            )
            click.confirm("Drop it for ever?", abort=True)
        try:
            drop_kept(connection, name)
        except NoSuchKeptLog as error:
            click.echo(f"recount: {error} recount log kept lists them.", err=True)
            sys.exit(1)
    click.echo(f"{name} is dropped.")
