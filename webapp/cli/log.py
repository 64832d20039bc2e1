"""`recount log`: the log itself, for those who look after it."""

import click

from webapp.cli.lazy import Lazy, LazyGroup

COMMANDS = {
    "drop": Lazy("webapp.cli.log_kept:drop", "Drop an old log for ever."),
    "kept": Lazy(
        "webapp.cli.log_kept:kept",
        "List the old logs, kept from when it was rewritten.",
    ),
    "lag": Lazy(
        "webapp.cli.lag:lag", "Show how far readers are, and whom they wait for."
    ),
    "rewrite": Lazy(
        "webapp.cli.log_rewrite:rewrite",
        "Bring old events to the shape of today, for good.",
    ),
    "show": Lazy(
        "webapp.cli.log_show:show", "Show events of the log, the newest last."
    ),
}


@click.group(cls=LazyGroup, lazy=COMMANDS, short_help="Look at the log, or rewrite it.")
def log() -> None:
    """Look at the log: what is in it, how far its readers are; and rewrite it."""
