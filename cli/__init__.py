"""The command line: `recount`, for operators. Flask's own commands are in it too."""

import sys

import click

from cli.lazy import Lazy, LazyGroup
from tasks.broker.publisher_thread import SECONDS_TO_EMPTY, empty_all

COMMANDS = {
    "checkpoints": Lazy(
        "cli.checkpoints:checkpoints",
        "Set right where a reader of the log stands.",
    ),
    "claims": Lazy(
        "cli.claims:claims",
        "Claim for every customer the e-mail address that they have.",
    ),
    "commands": Lazy(
        "cli:commands",
        "Look at accepted commands, submit files of them, and decide about failed"
        " ones.",
    ),
    "demo": Lazy(
        "cli.demo:demo", "Fill the shop with invented orders, for a first look."
    ),
    "doctor": Lazy(
        "cli.doctor:doctor", "Ask whether the database keeps what it is given."
    ),
    "import": Lazy(
        "cli.importing:import_history", "Bring a shop's history into the log."
    ),
    "keys": Lazy(
        "cli.keys:keys",
        "The keys of personal data, and the master key that they hang on.",
    ),
    "log": Lazy("cli:log", "Look at the log, or rewrite it."),
    "login": Lazy(
        "cli.login:login", "Print an address that lets one browser in, once."
    ),
    "readmodels": Lazy(
        "cli.readmodels:readmodels",
        "See which read models there are, drop the rows of one, or remove one.",
    ),
    "rebuild": Lazy(
        "cli.rebuild:rebuild",
        "Fill a read model from the log again, then swap it in for the old one.",
    ),
    "routes": Lazy("cli.flask_commands:routes", "Show the routes for the app."),
    "run": Lazy("cli.flask_commands:run", "Run a development server."),
    "seals": Lazy(
        "cli.seals:seals", "The hashes that show whether the log was changed."
    ),
    "shell": Lazy("cli.flask_commands:shell", "Run a shell in the app context."),
    "status": Lazy(
        "cli.status:status",
        "Show what waits, how far the read models are, and what has stopped.",
    ),
    "stream": Lazy(
        "cli:stream",
        "Look into a stream, and carry one from one log to another.",
    ),
    "tokens": Lazy(
        "cli.tokens:tokens", "What programs show the API, to ask as a user."
    ),
    "users": Lazy(
        "cli.users:users",
        "Who may send commands and ask the API, and with which roles.",
    ),
    "verify": Lazy("cli.verify:verify", "Check the log, and what rests on it."),
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
        from cli.failures import reason_of, status_of

        reason = reason_of(error)
        if reason is None:
            raise
        click.echo(f"recount: {reason}", err=True)
        sys.exit(status_of(error))
    finally:
        # While Python ends, a thread cannot load what it sends a first message with.
        empty_all(SECONDS_TO_EMPTY)


OF_COMMANDS = {
    "abandon": Lazy(
        "cli.commands_act:abandon",
        "Give up a failed command for good, or one that waits and cannot be decided.",
    ),
    "cancel": Lazy(
        "cli.commands_act:cancel",
        "Take back a scheduled command whose time has not come.",
    ),
    "list": Lazy("cli.commands_list:list_commands", "List commands, the newest first."),
    "prune": Lazy(
        "cli.commands_prune:prune_commands",
        "Delete commands that finished long ago, with their history and their keys.",
    ),
    "retry": Lazy(
        "cli.commands_act:retry",
        "Let a failed command have its turn again, before those that came later.",
    ),
    "show": Lazy(
        "cli.commands_show:show",
        "Show a command: its data, its history, why it failed, and what it caused.",
    ),
    "submit": Lazy(
        "cli.commands_submit:submit",
        "Accept the commands of a file, a line of JSON each, as `POST"
        " /api/commands/batch`.",
    ),
}


@click.group(cls=LazyGroup, lazy=OF_COMMANDS)
def commands() -> None:
    """Look at accepted commands, submit files of them, and decide about failed ones."""


OF_LOG = {
    "drop": Lazy("cli.log_kept:drop_archived_log", "Drop an old log for ever."),
    "kept": Lazy(
        "cli.log_kept:list_archived_logs",
        "List the old logs, kept from when it was rewritten.",
    ),
    "lag": Lazy("cli.lag:lag", "Show how far readers are, and whom they wait for."),
    "rewrite": Lazy(
        "cli.log_rewrite:rewrite",
        "Bring old events to the shape of today, for good.",
    ),
    "show": Lazy("cli.log_show:show", "Show events of the log, the newest last."),
}


@click.group(cls=LazyGroup, lazy=OF_LOG, short_help="Look at the log, or rewrite it.")
def log() -> None:
    """Look at the log: what is in it, how far its readers are; and rewrite it."""


OF_STREAM = {
    "export": Lazy(
        "cli.stream_export:export_streams",
        "Write streams to a file, what is personal masked.",
    ),
    "import": Lazy(
        "cli.stream_import:import_streams",
        "Bring exported streams into this log.",
    ),
    "replay": Lazy(
        "cli.stream_replay:replay", "Show event by event what each changed."
    ),
    "show": Lazy("cli.stream_show:show", "Show the events of a stream, and its state."),
}


@click.group(cls=LazyGroup, lazy=OF_STREAM)
def stream() -> None:
    """Look into a stream, and carry one from one log to another."""
