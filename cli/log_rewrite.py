"""`recount log rewrite`: a copy of the log in the shapes of today takes its place."""

import sys

import click

from cli.output import progress
from cli.rebuild import rebuild_one
from eventstore.errors import EventStoreError
from eventstore.rewriting.rewrite import RewritePreview, RewriteResult, rehearse
from eventstore.rewriting.rewrite import rewrite as write_anew
from tasks.shop import rebuild
from tasks.shop.wiring import Shop, shop


@click.command(
    short_help="Replace the log by a copy with the newest version of every event."
)
@click.option(
    "--rewrite-history", is_flag=True, help="Do it; without, nothing is written."
)
@click.option(
    "--although-changed",
    is_flag=True,
    help="Copy a log that is not what was sealed; what was found is kept with it.",
)
def rewrite(rewrite_history: bool, although_changed: bool) -> None:
    """
    Put a copy of the log in its place, in which nothing is old.

    Events of older versions become those of today, and personal data that were written
    in the clear are encrypted, in the journal too. Without --rewrite-history it only
    says what would change, and the shop may be running.

    With it, nobody else may be connected: stop the shop, and where its servers are
    those of `recount up`, start them alone, by `recount up --procfile /dev/null`. What
    was copied is compared with the log, event by event, before it takes its place; all
    of it is one transaction, so whatever ends it early leaves the log as it was. It
    wants as much room on the disk as the log has. The old log is kept, see
    `recount log kept`. Exports of seals are those of the old log from then on.
    """
    # Otherwise the sessions of our own pool would count as other sessions.
    shop().engine.dispose()
    try:
        with shop().of_owner() as owner:
            if rewrite_history:
                carry_out(owner, although_changed=although_changed)
            else:
                show_rehearsal(owner)
    except EventStoreError as error:
        click.echo(f"recount: the log was not rewritten: {error}", err=True)
        sys.exit(1)


def show_rehearsal(shop: Shop) -> None:
    with shop.engine.connect() as connection:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        rehearsed = rehearse(connection, shop.deciders, progress)
    show(rehearsed, "would change")
    if is_something(rehearsed):
        click.echo("Nothing was written; --rewrite-history does it.")


def carry_out(shop: Shop, *, although_changed: bool) -> None:
    with shop.engine.connect() as connection:
        if not is_something(rehearse(connection, shop.deciders, progress)):
            click.echo("There is nothing to change: the log is as of today.")
            return
        connection.rollback()
        with connection.begin():
            rewritten = write_anew(
                connection, shop.deciders, progress, although_changed=although_changed
            )
    show(rewritten, "changed")
    finish(shop, rewritten)


def is_something(rehearsed: RewritePreview) -> bool:
    return bool(rehearsed.changed or rehearsed.commands)


def show(rehearsed: RewritePreview, verb: str) -> None:
    click.echo(f"{rehearsed.changed:,} of {rehearsed.events:,} events {verb}")
    for kind in rehearsed.kinds:
        click.echo(
            f"{kind.count:10,}  {kind.what}; the first is {kind.stream_id} version"
            f" {kind.version}, position {kind.position}"
        )
    if rehearsed.commands:
        click.echo(f"{rehearsed.commands:,} commands of the journal {verb}: encrypted")


def finish(shop: Shop, rewritten: RewriteResult) -> None:
    """Rebuild what has positions in it that have moved, and say what is kept."""
    if not rewritten.has_same_places:
        click.echo("positions have moved: the read models are rebuilt")
        for projection in rebuild.find_unfit(shop):
            rebuild_one(projection)
    click.echo(
        f"The old log is kept as {rewritten.kept}, with what was in the clear in it."
        f" When nobody needs it any more: recount log drop {rewritten.kept}"
    )
