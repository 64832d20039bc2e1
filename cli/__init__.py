"""The command line: `recount`, for operators. Flask's own commands are in it too."""

import sys

import click

from cli.lazy import Lazy, LazyGroup
from tasks.broker.publisher_thread import SECONDS_TO_EMPTY, empty_all

COMMANDS = {
    "audit": Lazy(
        "cli.audit:audit", "Compare rows with what their events make of them."
    ),
    "checkpoints": Lazy(
        "cli.checkpoints:checkpoints",
        "Repair the checkpoints of readers of the log.",
    ),
    "claims": Lazy(
        "cli.claims:claims",
        "Claim for every customer the e-mail address that they have.",
    ),
    "commands": Lazy(
        "cli:commands",
        "List, show and try commands, submit files of them, retry or abandon failed.",
    ),
    "demo": Lazy(
        "cli.demo:demo", "Fill an empty shop with invented months, for a first look."
    ),
    "doctor": Lazy("cli.doctor:doctor", "Check whether the database can lose data."),
    "import": Lazy(
        "cli.importing:import_history", "Bring a shop's history into the log."
    ),
    "keys": Lazy(
        "cli.keys:keys",
        "The keys of personal data, and their master key.",
    ),
    "log": Lazy("cli:log", "Show the log and its readers, or rewrite it."),
    "login": Lazy(
        "cli.login:login", "Print an address that gives one browser access, once."
    ),
    "parked": Lazy(
        "cli.parked:parked",
        "List, retry or drop the streams that read models leave out.",
    ),
    "past": Lazy(
        "cli.past:past",
        "Show read models as of a moment, and tend the copies made for that.",
    ),
    "products": Lazy(
        "cli.products:products", "Make a price list of what past orders name."
    ),
    "readmodels": Lazy(
        "cli.readmodels:readmodels",
        "List the read models; follow, drop or remove one.",
    ),
    "rebuild": Lazy(
        "cli.rebuild:rebuild",
        "Rebuild a read model from the log, and replace the old one.",
    ),
    "routes": Lazy("cli.flask_commands:routes", "Show the routes for the app."),
    "run": Lazy("cli.flask_commands:run", "Run a development server."),
    "seals": Lazy(
        "cli.seals:seals", "The hashes that show whether the log was changed."
    ),
    "shell": Lazy("cli.flask_commands:shell", "Run a shell in the app context."),
    "status": Lazy(
        "cli.status:status",
        "Show waiting commands, processes, read models and errors.",
    ),
    "stores": Lazy(
        "cli:stores",
        "List the stores that answer queries beside PostgreSQL, and tend their copies.",
    ),
    "stream": Lazy(
        "cli:stream",
        "Show and replay a stream, and export or import streams.",
    ),
    "tokens": Lazy(
        "cli.tokens:tokens", "The tokens by which programs use the API as a user."
    ),
    "users": Lazy(
        "cli.users:users",
        "The users of the shop, their roles and passwords.",
    ),
    "verify": Lazy(
        "cli.verify:verify", "Check the log, the journal and the snapshots."
    ),
    "webhooks": Lazy("cli:webhooks", "Send events to other services."),
    "why": Lazy("cli.why:why", "Show which events made a value of a row what it is."),
}

cli = LazyGroup(
    name="recount",
    lazy=COMMANDS,
    help="The order desk, its journal and its read models.",
)


def main() -> None:
    """Run the command line; an unreachable database is reported in one line."""
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
    "audit": Lazy(
        "cli.audit:audit", "Compare rows with what their events make of them."
    ),
    "abandon": Lazy(
        "cli.commands_act:abandon",
        "Give up a failed command, or one that cannot be decided; this is final.",
    ),
    "cancel": Lazy(
        "cli.commands_act:cancel",
        "Cancel a scheduled command before its time.",
    ),
    "list": Lazy("cli.commands_list:list_commands", "List commands, the newest first."),
    "prune": Lazy(
        "cli.commands_prune:prune_commands",
        "Delete commands that finished long ago, with their history and their keys.",
    ),
    "retry": Lazy(
        "cli.commands_act:retry",
        "Make a failed command due again, before commands that were accepted later.",
    ),
    "show": Lazy(
        "cli.commands_show:show",
        "Show a command: its data, its history, its error and its effects.",
    ),
    "submit": Lazy(
        "cli.commands_submit:submit",
        "Accept the commands of a file, a line of JSON each, as `POST"
        " /api/commands/batch`.",
    ),
    "try": Lazy(
        "cli.commands_try:try_commands",
        "Tell what the commands of a file would cause, and send none of them.",
    ),
}


@click.group(cls=LazyGroup, lazy=OF_COMMANDS)
def commands() -> None:
    """List, show and try commands, submit files of them, retry or abandon failed."""


OF_LOG = {
    "drop": Lazy("cli.log_kept:drop_archived_log", "Delete an old log, for ever."),
    "kept": Lazy(
        "cli.log_kept:list_archived_logs",
        "List the old logs that rewrites have kept.",
    ),
    "lag": Lazy(
        "cli.lag:lag",
        "Show how far readers are, and which transactions hold them back.",
    ),
    "rewrite": Lazy(
        "cli.log_rewrite:rewrite",
        "Replace the log by a copy with the newest version of every event.",
    ),
    "show": Lazy("cli.log_show:show", "Show events of the log, the newest last."),
}


@click.group(
    cls=LazyGroup,
    lazy=OF_LOG,
    short_help="Show the log and its readers, or rewrite it.",
)
def log() -> None:
    """Show the log and its readers, or rewrite it."""


OF_STREAM = {
    "export": Lazy(
        "cli.stream_export:export_streams",
        "Write streams to a file, with personal data masked.",
    ),
    "import": Lazy(
        "cli.stream_import:import_streams",
        "Import exported streams into this log.",
    ),
    "replay": Lazy(
        "cli.stream_replay:replay",
        "Show event by event what each changed in the state.",
    ),
    "show": Lazy("cli.stream_show:show", "Show the events of a stream, and its state."),
}


@click.group(cls=LazyGroup, lazy=OF_STREAM)
def stream() -> None:
    """Show and replay a stream, and export or import streams."""


OF_WEBHOOKS = {
    "add": Lazy(
        "cli.webhooks_change:add_webhook",
        "Send events to URL, and print the secret that signs them.",
    ),
    "list": Lazy(
        "cli.webhooks_show:list_webhooks",
        "List the webhooks: state, position, lag and last answer; never a secret.",
    ),
    "pause": Lazy(
        "cli.webhooks_change:pause_webhook",
        "Send nothing to the webhook NAME until it is resumed.",
    ),
    "remove": Lazy(
        "cli.webhooks_change:remove_webhook",
        "Remove the webhook NAME with its secrets and its position.",
    ),
    "resume": Lazy(
        "cli.webhooks_change:resume_webhook",
        "Send to the webhook NAME again, from where it stopped.",
    ),
    "rotate": Lazy(
        "cli.webhooks_change:rotate_webhook",
        "Give the webhook NAME a new secret, and print it.",
    ),
    "show": Lazy(
        "cli.webhooks_show:show_webhook",
        "Show the webhook NAME: position, lag, last answer, and what fails.",
    ),
    "test": Lazy(
        "cli.webhooks_change:test_webhook",
        "Send a signed event of the type WebhookTested to NAME, and print the answer.",
    ),
}


@click.group(cls=LazyGroup, lazy=OF_WEBHOOKS)
def webhooks() -> None:
    """Send events to other services."""


OF_STORES = {
    "compare": Lazy(
        "cli.stores_compare:compare_copies",
        "Compare the copies in STORE with PostgreSQL while both are written.",
    ),
    "list": Lazy(
        "cli.stores_list:list_stores",
        "List the stores: reachable, rows, lag in seconds, and the last comparison.",
    ),
    "rebuild": Lazy(
        "cli.stores_fill:rebuild",
        "Fill new copies in STORE beside those that answer, and put them in place.",
    ),
    "rollback": Lazy(
        "cli.stores_fill:rollback",
        "Go back to the copy before in STORE, brought up to date first.",
    ),
}


@click.group(cls=LazyGroup, lazy=OF_STORES)
def stores() -> None:
    """
    List the stores that answer queries beside PostgreSQL, and tend their copies.

    A store has copies of read models. Nothing is lost with it but the time in which it
    is filled again; until then PostgreSQL answers.
    """
