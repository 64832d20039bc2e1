"""The command line: `recount`, for operators. Flask's own commands are in it too."""

import sys

import click
from flask.cli import FlaskGroup
from psycopg.errors import InsufficientPrivilege
from sqlalchemy.exc import OperationalError, ProgrammingError

from tasks import publishing
from tasks.outbox import SECONDS_TO_EMPTY
from webapp import create_app
from webapp.cli.checkpoints import checkpoints
from webapp.cli.claims import claims
from webapp.cli.commands import commands
from webapp.cli.demo import demo
from webapp.cli.doctor import doctor
from webapp.cli.importing import import_history
from webapp.cli.keys import keys
from webapp.cli.log import log
from webapp.cli.rebuild import rebuild
from webapp.cli.seals import seals
from webapp.cli.status import status
from webapp.cli.stream import stream
from webapp.cli.tokens import tokens
from webapp.cli.users import users
from webapp.cli.verify import verify


class Commands(FlaskGroup):
    """Flask's group, which tells its commands also where there are no settings."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, without making the application first."""
        return click.Group.list_commands(self, ctx)


cli = Commands(
    name="recount",
    create_app=create_app,
    help="The order desk, its journal and its read models.",
)
for command in (
    checkpoints,
    claims,
    commands,
    demo,
    doctor,
    import_history,
    keys,
    log,
    rebuild,
    seals,
    status,
    stream,
    tokens,
    users,
    verify,
):
    cli.add_command(command)


def main() -> None:
    """Run the command line; a database that is away is one line, not a traceback."""
    try:
        cli.main(prog_name="recount")
    except OperationalError as error:
        click.echo(f"recount: PostgreSQL does not answer: {error.orig}", err=True)
        sys.exit(1)
    except (ProgrammingError, InsufficientPrivilege) as error:
        refusal = getattr(error, "orig", error)
        if not isinstance(refusal, InsufficientPrivilege):
            raise
        click.echo(
            f"recount: {refusal.diag.message_primary}. This login may not do that:"
            " OPERATOR_DATABASE_URL is to name an operator's, and"
            " ADMIN_DATABASE_URL the owner's.",
            err=True,
        )
        sys.exit(1)
    finally:
        # While Python ends, a thread cannot load what it sends a first message with.
        publishing.outbox.empty(SECONDS_TO_EMPTY)
