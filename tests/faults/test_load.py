"""The load: what it takes for an answer, and when it gives up."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.__main__ import main
from tests.faults.answers import Answers, read_answers
from tests.faults.load import client
from tests.faults.load.load import Load


class Crashing(http.server.BaseHTTPRequestHandler):
    """A web server whose application has a bug: it answers with a page of its own."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(500)
        self.send_header("Content-Length", "13")
        self.end_headers()
        self.wfile.write(b"<h1>Oops</h1>")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def crashing() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Crashing) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def run(address: str, path: Path, *, seconds: float) -> Load:
    """Run a load of a hundred commands a second, and return it."""
    with closing(Answers(path)) as answers:
        load = Load(address, answers, seed=7, seconds=seconds, rate=100.0, clients=2)
        load.run()
    return load


def test_an_answer_that_is_no_json_is_an_answer(crashing: str, tmp_path: Path) -> None:
    path = tmp_path / "answers"
    load = run(crashing, path, seconds=0.05)
    answers = [(attempt.status, attempt.problem) for attempt in read_answers(path)]

    assert answers == [(500, client.NOT_JSON)] * load.sent
    assert len(load.misjudged) == load.sent == 5


def test_a_load_that_nobody_answers_comes_to_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Port 9 is nobody's here; the hour of load would be waited for in vain."""
    monkeypatch.setattr(client, "MAX_SECONDS", 0.1)
    monkeypatch.setattr(client, "PAUSE", 0.01)
    load = run("http://127.0.0.1:9", tmp_path / "answers", seconds=3600.0)

    assert load.is_over.is_set()
    assert load.misjudged


@pytest.mark.parametrize(
    "options",
    [
        "--minutes 0",
        "--minutes inf",
        "--rate 0",
        "--rate -1",
        "--batch-rate -1",
        "--every 0",
        "--seeds 0",
        "--disk 1",
        "--faults typo",
    ],
)
def test_amounts_that_make_no_run_are_refused(options: str) -> None:
    with pytest.raises(SystemExit) as refusal:
        main([*options.split(), "--plan"])

    assert refusal.value.code not in (None, 0)
