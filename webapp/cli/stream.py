"""`recount stream`: streams of the past, for those who look into what went wrong."""

import click

from webapp.cli.lazy import Lazy, LazyGroup

COMMANDS = {
    "export": Lazy(
        "webapp.cli.stream_export:export_streams",
        "Write streams to a file, what is personal masked.",
    ),
    "import": Lazy(
        "webapp.cli.stream_import:import_streams",
        "Bring exported streams into this log.",
    ),
    "replay": Lazy(
        "webapp.cli.stream_replay:replay", "Show event by event what each changed."
    ),
    "show": Lazy(
        "webapp.cli.stream_show:show", "Show the events of a stream, and its state."
    ),
}


@click.group(cls=LazyGroup, lazy=COMMANDS)
def stream() -> None:
    """Look into a stream, and carry one from one log to another."""
