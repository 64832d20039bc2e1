"""Pages, files and JSON are compressed for those who take it, and tell no secret."""

import gzip
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from tests.support.visiting import Place, hidden_of

TAKES = {"Accept-Encoding": "br, gzip"}
FILE = "/static/vendor/pico/pico.min.css"


def test_a_page_is_compressed_for_who_takes_it(
    client: FlaskClient, alice: str, place: Place
) -> None:
    place()
    plain, zipped = client.get("/orders"), client.get("/orders", headers=TAKES)

    assert "Content-Encoding" not in plain.headers
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(zipped.data) == plain.data
    assert len(zipped.data) < len(plain.data) / 2
    assert int(zipped.headers["Content-Length"]) == len(zipped.data)
    for response in (plain, zipped):
        assert "Accept-Encoding" in response.headers["Vary"]


@pytest.mark.parametrize("refused", ["", "br", "gzip;q=0", "identity"])
def test_who_does_not_take_it_gets_it_plain(client: FlaskClient, refused: str) -> None:
    response = client.get("/orders", headers={"Accept-Encoding": refused})

    assert "Content-Encoding" not in response.headers
    assert response.text.startswith("<!doctype html>")


@pytest.mark.parametrize("path", ["/orders/new", "/customers/new"])
def test_a_page_with_a_form_is_compressed(client: FlaskClient, path: str) -> None:
    response = client.get(path, headers=TAKES)

    assert response.headers["Content-Encoding"] == "gzip"
    assert 'name="csrf_token"' in gzip.decompress(response.data).decode()


def test_the_token_of_a_form_is_another_one_in_each_answer_and_each_is_good(
    client: FlaskClient,
) -> None:
    """Else its letters could be guessed from the lengths of compressed pages."""
    shown = [hidden_of(client.get("/customers/new").text) for _ in range(5)]
    answers = [client.post("/customers/new", data=hidden) for hidden in shown]

    for place in range(0, 120, 20):
        parts = {hidden["csrf_token"][place : place + 20] for hidden in shown}
        assert len(parts) == 5
    # Nothing was typed: that is all that is wrong.
    assert {answer.status_code for answer in answers} == {422}


@pytest.mark.parametrize("change", [str.upper, lambda token: token[:-8], lambda _: "€"])
def test_a_token_that_was_changed_is_refused(
    client: FlaskClient, change: Callable[[str], str]
) -> None:
    hidden = hidden_of(client.get("/customers/new").text)
    hidden["csrf_token"] = change(hidden["csrf_token"])

    assert client.post("/customers/new", data=hidden).status_code in (400, 403)


def test_how_long_a_compressed_page_is_tells_nothing_exact(client: FlaskClient) -> None:
    lengths = {len(client.get("/orders", headers=TAKES).data) for _ in range(10)}

    assert len(lengths) > 1


def test_json_is_compressed(client: FlaskClient, alice: str, place: Place) -> None:
    for _ in range(6):
        place()
    response = client.get("/api/orders", headers=TAKES)

    assert response.headers["Content-Encoding"] == "gzip"
    assert b'"orders"' in gzip.decompress(response.data)


def test_what_is_short_stays_as_it_is(client: FlaskClient) -> None:
    assert "Content-Encoding" not in client.get("/healthz", headers=TAKES).headers


def test_a_file_is_compressed_and_known_again(client: FlaskClient) -> None:
    with client.get(FILE) as plain, client.get(FILE, headers=TAKES) as zipped:
        assert gzip.decompress(zipped.data) == plain.data
        assert zipped.headers["ETag"] != plain.headers["ETag"]
        known = {**TAKES, "If-None-Match": zipped.headers["ETag"]}
    with client.get(FILE, headers=known) as again:
        assert (again.status_code, again.data) == (304, b"")


def test_a_part_of_a_file_is_not_compressed(client: FlaskClient) -> None:
    with client.get(FILE, headers={**TAKES, "Range": "bytes=0-1999"}) as part:
        assert (part.status_code, len(part.data)) == (206, 2000)
        assert "Content-Encoding" not in part.headers


def test_files_that_pages_name_can_be_kept_for_ever(client: FlaskClient) -> None:
    page = client.get("/orders").text
    address = page.partition('href="/static/recount.css')[2].partition('"')[0]

    with client.get(f"/static/recount.css{address}") as named:
        assert "immutable" in named.headers["Cache-Control"]
    for other in ("", "?v=000000000000"):
        with client.get(f"/static/recount.css{other}") as plain:
            assert "immutable" not in plain.headers["Cache-Control"]
