"""What the pages and the history say of the code is what the code says."""

import json
from datetime import UTC, datetime

import pytest

from eventstore.log.events import RecordedEvent
from tasks.shop.deciders import ALL as DECIDERS
from tests.generated.__main__ import changes
from tests.generated.history import EVENT_CLASSES, sample, samples_of
from tests.support.databases import ROOT


def test_what_follows_from_the_code_is_written_down() -> None:
    wrong = [str(file.relative_to(ROOT)) for file, _ in changes()]

    assert wrong == [], "run .venv/bin/python -m tests.generated, and look it over"


@pytest.mark.parametrize("kind", EVENT_CLASSES, ids=lambda kind: kind.__name__)
def test_an_event_that_is_written_down_is_read_as_it_was(kind: type) -> None:
    (codec,) = (d.events for d in DECIDERS if kind in d.events.classes)
    (_, text), *encrypted = samples_of(kind)
    told = json.loads(text)
    recorded = RecordedEvent(
        position=1,
        stream_id="order-1",
        type=told["type"],
        version=1,
        data=json.dumps(told["data"]),
        metadata=json.dumps(told["metadata"]),
        occurred_at=datetime(2026, 12, 23, tzinfo=UTC),
    )

    assert codec.read(recorded) == (sample(kind),)
    assert all("Orchestra" not in text for _, text in encrypted)
