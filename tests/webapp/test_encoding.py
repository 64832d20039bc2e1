"""Text that comes in is UTF-8; what is not is refused in words, and not stored."""

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.visiting import Work, hidden_of

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=x"


def post_bytes(client: FlaskClient, name: bytes, kind: str) -> TestResponse:
    """Register a customer of that *name*, as its bytes stand in the form."""
    hidden = hidden_of(client.get("/customers/new").text)
    if kind.startswith(URLENCODED):
        pairs = [f"{key}={value}".encode() for key, value in hidden.items()]
        body = b"&".join([*pairs, b"name=" + name])
    else:
        body = b"".join(
            b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % pair
            for pair in [
                *((key.encode(), value.encode()) for key, value in hidden.items()),
                (b"name", name),
            ]
        )
        body += b"--x--\r\n"
    return client.post("/customers/new", data=body, content_type=kind)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (b"M%FCller", URLENCODED),
        (b"M\xfcller", URLENCODED),
        (b"M%C3", URLENCODED),
        (b"%ED%A0%80", URLENCODED),
        (b"%80%u20AC", URLENCODED),
        (b"M\xfcller", MULTIPART),
    ],
)
def test_a_form_that_is_not_in_utf_8_is_refused(
    away: FlaskClient, name: bytes, kind: str
) -> None:
    answer = post_bytes(away, name, kind)

    assert answer.status_code == 400
    assert "is not in UTF-8" in answer.text


def test_the_field_is_named(away: FlaskClient) -> None:
    assert "The field &#39;name&#39;" in post_bytes(away, b"%FC", URLENCODED).text


@pytest.mark.parametrize("charset", ["iso-8859-1", "windows-1252", "utf-16", "UTF-7"])
def test_a_form_that_says_it_is_in_another_encoding_is_refused(
    away: FlaskClient, charset: str
) -> None:
    answer = post_bytes(away, b"Miller", f"{URLENCODED}; charset={charset}")

    assert answer.status_code == 400
    assert charset.lower() in answer.text


def test_a_form_in_utf_8_is_stored_as_it_is(client: FlaskClient, work: Work) -> None:
    ways = [
        (b"M%C3%BCller", URLENCODED),
        ("Müller".encode(), URLENCODED),
        (b"M%C3%BCller", f"{URLENCODED}; charset=UTF-8"),
        ("Müller".encode(), MULTIPART),
    ]
    answers = [post_bytes(client, name, kind) for name, kind in ways]

    assert [answer.status_code for answer in answers] == [303] * 4
    work(*answers)
    page = client.get("/customers").text
    assert page.count(">Müller<") == 4
    assert "\ufffd" not in page


def test_an_address_that_is_not_in_utf_8_is_refused(client: FlaskClient) -> None:
    for path in ("/orders?q=M%FC", "/customers?q=%80", "/api/orders?q=%FC"):
        answer = client.get(path)

        assert answer.status_code == 400, path
        assert "UTF-8" in answer.text
