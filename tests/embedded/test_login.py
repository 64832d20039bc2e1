"""The way in: a browser by the printed address, programs by the header, others not."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

import pytest
from honcho.environ import parse_procfile

from embedded.folders import ROOT
from tasks.shop.local_access import header_file
from tests.embedded.running import Desk, wait_for
from tests.support.processes import accepts, free_port

NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
  access_log {folder}/access.log;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://127.0.0.1:{web}; }}
  }}
}}
"""
WEB = {"web": parse_procfile((ROOT / "Procfile").read_text()).processes["web"]}


class Visitor:
    """A browser with its own cookies, that follows where it is led."""

    def __init__(self) -> None:
        self.cookies = CookieJar()
        self.opener: OpenerDirector = build_opener(HTTPCookieProcessor(self.cookies))

    def open(self, url: str, data: dict[str, str] | None = None) -> tuple[int, str]:
        try:
            body = urlencode(data).encode() if data is not None else None
            with self.opener.open(url, body, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()

    def enter(self, address: str) -> int:
        """Open an address that lets one in, and press its button."""
        status, page = self.open(address)
        found = re.search('name="csrf_token" value="([^"]+)"', page)
        if status != 200 or found is None:
            return status
        return self.open(address, {"csrf_token": found[1]})[0]


@contextmanager
def nginx_before(web: int, folder: Path) -> Iterator[str]:
    """Run Debian's nginx with the shortest configuration before a web of ours."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.skip("nginx is not installed")
    port, path = free_port(), folder / "nginx.conf"
    path.write_text(NGINX.format(folder=folder, port=port, web=web))
    nginx = subprocess.Popen([program, "-p", str(folder), "-c", str(path)])
    try:
        wait_for(lambda: accepts(port))
        yield f"http://127.0.0.1:{port}"
    finally:
        nginx.terminate()
        nginx.wait()


def test_the_printed_address_lets_one_browser_in_and_nobody_else(
    whole_desk: Desk, tmp_path: Path
) -> None:
    output = whole_desk.up(WEB)
    shop, printed = f"http://127.0.0.1:{output.port}", output.login
    first, second, stranger = Visitor(), Visitor(), Visitor()

    assert stranger.open(f"{shop}/orders")[0] == 401
    assert first.enter(printed) == 200
    assert first.open(f"{shop}/orders")[0] == 200
    assert first.open(f"http://localhost:{output.port}/orders")[0] == 200
    assert stranger.enter(printed) == 401

    asked_for = whole_desk.run("login")
    assert asked_for.returncode == 0, asked_for.stderr
    another = asked_for.stdout.strip()
    assert second.enter(another) == 200
    assert stranger.enter(another) == 401

    header = header_file(whole_desk.state)
    if curl := shutil.which("curl"):
        asked = [curl, "-s", "-f", "-H", f"@{header}", f"{shop}/api/orders"]
        answer = subprocess.run(asked, capture_output=True, text=True)
        assert '"orders":[]' in answer.stdout.replace(" ", ""), answer

    with nginx_before(output.port, tmp_path) as proxy:
        for path in ("/", "/orders", "/metrics", "/api/orders", "/problems/forbidden"):
            status, page = stranger.open(proxy + path)
            assert (status, path) == (401, path)
            assert "EUR" not in page
        assert stranger.open(f"{proxy}/healthz") == (200, "ok\n")
        assert stranger.open(f"{proxy}/readyz") == (200, "ok\n")

    secrets = [
        printed.rpartition("/")[2],
        another.rpartition("/")[2],
        header.read_text().rpartition(" ")[2].strip(),
        *(cookie.value or "" for cookie in first.cookies if "local" in cookie.name),
    ]
    assert len(secrets) == 4
    logged = "".join(path.read_text() for path in whole_desk.folders.logs.glob("*"))
    assert [secret for secret in secrets if secret in logged] == []

    whole_desk.run("down")
    again = whole_desk.up(WEB)
    assert first.open(f"http://127.0.0.1:{again.port}/orders")[0] == 200
    assert stranger.open(f"http://127.0.0.1:{again.port}/orders")[0] == 401
