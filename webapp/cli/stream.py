"""`recount stream`: streams of the past, for those who look into what went wrong."""

import click

from webapp.cli.stream_export import export_streams
from webapp.cli.stream_import import import_streams
from webapp.cli.stream_replay import replay
from webapp.cli.stream_show import show


@click.group()
def stream() -> None:
    """Look into a stream, and carry one from one log to another."""


for command in (show, replay, export_streams, import_streams):
    stream.add_command(command)
