"""The command line: `recount`, for operators. Flask's own commands are in it too."""

import sys

import click

from tasks.outbox import SECONDS_TO_EMPTY, empty_all
from webapp.cli.lazy import Lazy, LazyGroup

COMMANDS = {
    "checkpoints": Lazy(
        "webapp.cli.checkpoints:checkpoints",
        "Set right where a reader of the log stands.",
    ),
    "claims": Lazy(
        "webapp.cli.claims:claims",
        "Claim for every customer the e-mail address that they have.",
    ),
    "commands": Lazy(
        "webapp.cli.commands:commands",
        "Look at accepted commands, submit files of them, and decide about failed"
        " ones.",
    ),
    "demo": Lazy(
        "webapp.cli.demo:demo", "Fill the shop with invented orders, for a first look."
    ),
    "doctor": Lazy(
        "webapp.cli.doctor:doctor", "Ask whether the database keeps what it is given."
    ),
    "import": Lazy(
        "webapp.cli.importing:import_history", "Bring a shop's history into the log."
    ),
    "keys": Lazy(
        "webapp.cli.keys:keys",
        "The keys of personal data, and the master key that they hang on.",
    ),
    "log": Lazy("webapp.cli.log:log", "Look at the log, or rewrite it."),
    "login": Lazy(
        "webapp.cli.login:login", "Print an address that lets one browser in, once."
    ),
    "rebuild": Lazy(
        "webapp.cli.rebuild:rebuild",
        "Fill a read model anew from the log, then put it in the place of the old one.",
    ),
    "routes": Lazy("webapp.cli.of_flask:routes", "Show the routes for the app."),
    "run": Lazy("webapp.cli.of_flask:run", "Run a development server."),
    "seals": Lazy(
        "webapp.cli.seals:seals", "The hashes that show whether the log was changed."
    ),
    "shell": Lazy("webapp.cli.of_flask:shell", "Run a shell in the app context."),
    "status": Lazy(
        "webapp.cli.status:status",
        "Show what waits, how far the read models are, and what has stopped.",
    ),
    "stream": Lazy(
        "webapp.cli.stream:stream",
        "Look into a stream, and carry one from one log to another.",
    ),
    "tokens": Lazy(
        "webapp.cli.tokens:tokens", "What programs show the API, to ask as a user."
    ),
    "users": Lazy(
        "webapp.cli.users:users",
        "Who may send commands and ask the API, and with which roles.",
    ),
    "verify": Lazy("webapp.cli.verify:verify", "Check the log, and what rests on it."),
}

cli = LazyGroup(
    name="recount",
    lazy=COMMANDS,
    help="The order desk, its journal and its read models.",
)


def main() -> None:
    """Run the command line; a database that is away is one line, not a traceback."""
    try:
        cli.main(prog_name="recount")
    except Exception as error:
        # It knows the driver's errors, which a command that has failed has imported.
        from webapp.cli.failures import reason_of, status_of

        reason = reason_of(error)
        if reason is None:
            raise
        click.echo(f"recount: {reason}", err=True)
        sys.exit(status_of(error))
    finally:
        # While Python ends, a thread cannot load what it sends a first message with.
        empty_all(SECONDS_TO_EMPTY)
