"""The file of exported streams: what was cut off or edited is noticed."""

from datetime import UTC, datetime
from io import BytesIO
from uuid import UUID

import msgspec
import pytest

from eventstore.log.events import Metadata
from tasks.shop.history_import.errors import UnusableFile
from tasks.shop.stream_transfer.file import Line, read, write_file

ID = UUID("6f1d2c0e-6d0b-5c52-9c34-1d1f5f0e8a11")


def line(stream_id: str, version: int, note: str = "Grüße") -> Line:
    return Line(
        stream_id=stream_id,
        version=version,
        position=4711,
        type="OrderShipped",
        occurred_at=datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
        data=msgspec.Raw(msgspec.json.encode({"tracking_no": note})),
        metadata=Metadata(
            event_id=ID, correlation_id=ID, causation_id=ID, schema="1.0"
        ),
        personal=["tracking_no"],
    )


LINES = [line("order-1", 1), line("order-2", 1), line("order-1", 2)]
FILE = write_file(LINES, is_masked=True)
HEAD, FIRST, SECOND, THIRD = FILE.splitlines(keepends=True)


def refusal(content: bytes) -> str:
    with pytest.raises(UnusableFile) as refused:
        read(BytesIO(content), "streams.jsonl")
    return str(refused.value)


def test_what_was_written_is_read() -> None:
    header, lines = read(BytesIO(FILE), "streams.jsonl")

    assert header.streams == {"order-1": 2, "order-2": 1}
    assert header.is_masked
    assert write_file(lines, is_masked=True) == FILE
    assert [bytes(one.data) for one in lines] == [bytes(one.data) for one in LINES]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "its first line is no header"),
        (b"order_id,customer_id\n1,ALFKI\n", "its first line is no header"),
        (b"\xff\xfe\x00", "its first line is no header"),
        (b"[" * 100_000, "its first line is no header"),
        (FIRST + SECOND, "its first line is no header"),
        (
            HEAD.replace(b"streams 1", b"streams 2") + FIRST,
            "has the form 'recount streams 2', and this code reads",
        ),
        (HEAD, "is cut off: it has 0 of 3 events"),
        (HEAD + FIRST + SECOND, "is cut off: it has 2 of 3 events"),
        (FILE[:-1], "is cut off"),
        (FILE[:-40], "is cut off"),
        (FILE + THIRD, "goes on behind its end: it has 4 lines"),
        (HEAD + SECOND + FIRST + THIRD, "was edited"),
        (FILE.replace(b"order-2", b"order-7"), "was edited"),
        (FILE.replace(b"4711", b"4712", 1), "was edited"),
        (HEAD.replace(b"true", b"false") + FIRST + SECOND + THIRD, "was edited"),
        (FILE.replace(b"\n", b"\r\n"), "was edited"),
        (FILE.replace("ü".encode(), b"\xfc"), "was edited"),
    ],
)
def test_another_file_is_refused_and_says_why(content: bytes, reason: str) -> None:
    assert reason in refusal(content)


def test_a_stream_without_its_beginning_is_refused() -> None:
    late = write_file([line("order-1", 2)], is_masked=True)

    assert "has version 2 of order-1 in line 2, and 1 is its turn" in refusal(late)


def test_a_file_may_be_looked_at_on_a_terminal() -> None:
    content = write_file(
        [line("order-1", 1, "\x1b[2J\x9b2J\x7f\u202e")], is_masked=False
    )

    assert content.decode().replace("\n", "").isprintable()
    (back,) = read(BytesIO(content), "streams.jsonl")[1]
    assert msgspec.json.decode(back.data) == {"tracking_no": "\x1b[2J\x9b2J\x7f\u202e"}
