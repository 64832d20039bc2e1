"""The way in: browsers by an address or a password, programs by the header."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
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
PROCESSES = parse_procfile((ROOT / "Procfile").read_text()).processes
WEB = {"web": PROCESSES["web"]}
WEB_AND_WORKER = {name: PROCESSES[name] for name in ("web", "worker")}


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


def command_line(desk: Desk, *arguments: str, typed: str) -> str:
    """Run a command of the command line with *typed* on its standard input."""
    done = subprocess.run(
        desk.command(*arguments),
        cwd=ROOT,
        env=desk.environment,
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def fields_of(page: str) -> dict[str, str]:
    found = re.findall('<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return {name: unescape(value) for name, value in found}


def test_with_users_a_name_and_a_password_let_people_in_and_they_are_the_actors(
    whole_desk: Desk,
) -> None:
    output = whole_desk.up(WEB_AND_WORKER)
    shop, printed = f"http://127.0.0.1:{output.port}", output.login
    before, alice, bob = Visitor(), Visitor(), Visitor()
    assert before.enter(printed) == 200
    assert "Make the first user" in before.open(f"{shop}/orders")[1]

    secrets = {"alice": "the password of alice", "bob": "the password of bob"}
    for name, role in (("alice", "admin"), ("bob", "sales")):
        told = command_line(
            whole_desk,
            *("users", "add", name, "--role", role, "--password"),
            typed=f"{secrets[name]}\n",
        )
        assert secrets[name] not in told
    # In each process of the web, within a moment.
    wait_for(lambda: {before.open(f"{shop}/orders")[0] for _ in range(10)} == {401})
    again = whole_desk.run("login").stdout.strip()
    assert "Log in" in before.open(again)[1]

    for visitor, name in ((alice, "alice"), (bob, "bob")):
        wrong = log_in(visitor, shop, name, "not the password")
        assert wrong[0] == 401
        assert log_in(visitor, shop, name, secrets[name])[0] == 200
    assert bob.open(f"{shop}/users")[0] == 403
    assert "bob" in alice.open(f"{shop}/users")[1]

    form = fields_of(bob.open(f"{shop}/customers/new")[1])
    typed = {**form, "name": "Frau Ünal", "customer_id": "UENAL"}
    command_line(whole_desk, "users", "sign-out", "bob", typed="")
    wait_for(lambda: {bob.open(f"{shop}/orders")[0] for _ in range(10)} == {401})
    status, page = bob.open(f"{shop}/customers/new", typed)
    assert status == 401
    login = {**fields_of(page), "name": "bob", "password": secrets["bob"]}
    status, page = bob.open(f"{shop}/login", login)
    assert status == 200
    assert 'value="Frau Ünal"' in page
    assert bob.open(f"{shop}/customers/UENAL")[0] == 404
    assert bob.open(f"{shop}/customers/new", {**typed, **fields_of(page)})[0] == 200
    wait_for(lambda: bob.open(f"{shop}/customers/UENAL")[0] == 200, within=60)
    shown = whole_desk.run("stream", "show", "customer-UENAL").stdout
    assert "bob" in shown

    logged = "".join(path.read_text() for path in whole_desk.folders.logs.glob("*"))
    kept = [cookie.value or "" for cookie in bob.cookies if "login" in cookie.name]
    assert len(kept) == 1
    assert [secret for secret in (*secrets.values(), *kept) if secret in logged] == []

    # Sessions live through restarts.
    whole_desk.run("down")
    port = whole_desk.up(WEB_AND_WORKER).port
    assert bob.open(f"http://127.0.0.1:{port}/customers/UENAL")[0] == 200
    assert before.open(f"http://127.0.0.1:{port}/orders")[0] == 401


def log_in(visitor: Visitor, shop: str, name: str, password: str) -> tuple[int, str]:
    form = fields_of(visitor.open(f"{shop}/login")[1])
    return visitor.open(f"{shop}/login", {**form, "name": name, "password": password})
