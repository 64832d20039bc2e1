"""What counts as JSON: less than Python's own reader thinks."""

import pytest

from webapp.json_body import parse
from webapp.problems import Problem


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b'{"type": "PlaceOrder", "da', "Line 1, column 24"),
        (b'{\n  "type": }', "Line 2, column 11"),
        (b"", "Line 1, column 1"),
        (b"\xef\xbb\xbf{}", "Line 1, column 1"),
        (b'{"a": NaN}', "NaN is not JSON"),
        (b'{"a": [Infinity]}', "Infinity is not JSON"),
        (b'{"a": -Infinity}', "-Infinity is not JSON"),
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', "'c' is given twice"),
        (b'{"a": "\xff"}', "Byte 8 is not UTF-8"),
        (b'{"a": "\0"}', "Line 1, column 8"),
        (b"1" * 5001, "too many digits"),
        (b"[" * 17 + b"]" * 17, "nested deeper than 16"),
        (b"[" * 60_000, "nested deeper than 16"),
        (b'{"a":' * 10_000, "nested deeper than 16"),
    ],
)
def test_what_is_not_json_here_is_refused_with_the_place(
    body: bytes, detail: str
) -> None:
    with pytest.raises(Problem) as refused:
        parse(body)

    assert refused.value.kind.status == 400
    assert detail in refused.value.detail


def test_sixteen_levels_are_read() -> None:
    parse(b"[" * 16 + b"]" * 16)


def test_brackets_in_a_text_are_no_depth() -> None:
    assert parse(b'["' + b'[{\\"' * 100 + b'"]') == ['[{"' * 100]


@pytest.mark.parametrize("body", [b'"' + b'\\"' * 30_000, b'"' * 60_000 + b"\\"])
def test_quotes_without_end_take_no_time(body: bytes) -> None:
    with pytest.raises(Problem):
        parse(body)
