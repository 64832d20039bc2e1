"""`recount stream`: streams of the past, for those who look into what went wrong."""

import click

from webapp.cli.stream_replay import replay
from webapp.cli.stream_show import show


@click.group()
def stream() -> None:
    """Look into a stream: what happened, when, and what each event changed."""


stream.add_command(show)
stream.add_command(replay)
