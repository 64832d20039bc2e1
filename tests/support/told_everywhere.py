"""What each place that can be asked says of a reader that stands still."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from click.testing import CliRunner
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from cli.lag import lag
from cli.status import status
from tests.support.standing_still import LIST
from tests.support.visiting import ask


@dataclass(frozen=True)
class Answers:
    """What everybody is told, at one moment."""

    api: dict[str, Any]
    page: str
    status: Sequence[str]
    lag: Sequence[str]
    ready: dict[str, Any]
    figures: dict[tuple[str, ...], float]


def ask_all(client: FlaskClient) -> Answers:
    """Ask the API, a page, the commands of operators, `/readyz` and the metrics."""
    ready = client.get("/readyz")
    assert ready.status_code == 200
    return Answers(
        api=ask(client, "/api/orders"),
        page=client.get("/orders").text,
        status=CliRunner().invoke(status).output.splitlines(),
        lag=CliRunner().invoke(lag).output.splitlines(),
        ready=msgspec.json.decode(ready.data),
        figures={
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(client.get("/metrics").text)
            for sample in family.samples
        },
    )


def line_of(lines: Sequence[str], name: str = LIST) -> str:
    (line,) = [line for line in lines if line.startswith(name)]
    return line


def without_age(line: str) -> str:
    """Return *line* without the age in seconds, which grows while others are asked."""
    return re.sub(r" by [0-9,]+ s\b", "", line)
