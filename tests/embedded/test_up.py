"""The rules of `./recount up` for those who start it, stop it and kill it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

import psycopg
import pytest

from embedded import processes
from embedded.environment import MARK
from embedded.folders import ROOT
from embedded.record import Record
from tasks.shop.local_access import header_file
from tests.embedded.running import PROCFILE, WEB, Desk, wait_for

STUBBORN = "trap '' TERM; while :; do sleep 0.1; done"


def left_behind(desk: Desk) -> set[processes.Process]:
    marked = processes.with_variable(MARK, os.fspath(desk.state))
    return marked | processes.working_in(desk.folders.postgres)


def test_it_prints_its_address_when_a_request_has_been_answered(
    standing_desk: Desk,
) -> None:
    output = standing_desk.output

    assert output.login.startswith(f"http://127.0.0.1:{output.port}/login/")
    assert urlopen(f"http://127.0.0.1:{output.port}").status == 200


def test_the_second_says_that_it_is_already_up_and_where(standing_desk: Desk) -> None:
    second = standing_desk.run("up")

    port = standing_desk.output.port
    assert f"already up at http://127.0.0.1:{port}" in second.stdout


def test_status_shows_each_process(standing_desk: Desk) -> None:
    shown = standing_desk.run("status").stdout

    names = [line.split()[0] for line in shown.splitlines() if " running " in line]
    assert names == ["redis", "postgres", "web", "worker"]


def test_the_secret_key_is_kept_for_its_owner_alone(standing_desk: Desk) -> None:
    path = standing_desk.folders.secret_key

    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text() not in standing_desk.output.text


def test_the_header_for_programs_is_for_its_owner_alone(standing_desk: Desk) -> None:
    path = header_file(standing_desk.state)

    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text().startswith("Authorization: Bearer local_")


@pytest.mark.races
@pytest.mark.parametrize("name", ["web", "redis", "postgres"])
def test_what_is_killed_is_started_again(standing_desk: Desk, name: str) -> None:
    killed = standing_desk.child(name)

    os.kill(killed, signal.SIGKILL)

    wait_for(lambda: standing_desk.child(name) not in (0, killed), within=5)


@pytest.mark.races
def test_postgres_answers_within_five_seconds_of_its_kill(standing_desk: Desk) -> None:
    url = standing_desk.running.environment["DATABASE_URL"]
    wait_for(lambda: answers(url), within=5)

    os.kill(standing_desk.child("postgres"), signal.SIGKILL)

    wait_for(lambda: answers(url), within=5)


def answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=1).close()
    except psycopg.OperationalError:
        return False
    return True


def test_a_second_start_finds_its_data_within_five_seconds(whole_desk: Desk) -> None:
    whole_desk.up()
    with psycopg.connect(whole_desk.running.environment["DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE notes AS SELECT 10248 AS number")
    whole_desk.run("down")
    start = time.monotonic()

    whole_desk.up()

    assert time.monotonic() - start < 5
    with psycopg.connect(whole_desk.running.environment["DATABASE_URL"]) as connection:
        assert connection.execute("TABLE notes").fetchall() == [(10248,)]


def test_a_process_is_told_its_own_login_alone_and_may_not_touch_the_log(
    standing_desk: Desk,
) -> None:
    told = Path(f"/proc/{standing_desk.child('worker')}/environ").read_text()
    urls = dict(
        variable.split("=", 1)
        for variable in told.split("\0")
        if "DATABASE_URL=" in variable
    )

    assert list(urls) == ["WORKER_DATABASE_URL"]
    with (
        psycopg.connect(urls["WORKER_DATABASE_URL"]) as worker,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        worker.execute("DELETE FROM events")


def test_migrate_mends_rights_of_a_shop_that_is_up(standing_desk: Desk) -> None:
    url = standing_desk.running.environment["ADMIN_DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("GRANT UPDATE ON events TO recount_web")
    migrated = standing_desk.run("migrate")
    with psycopg.connect(url) as owner:
        row = owner.execute(
            "SELECT has_table_privilege('recount_web', 'events', 'UPDATE')"
        ).fetchone()

    assert migrated.returncode == 0, migrated.stderr
    assert row == (False,)


def test_ctrl_c_stops_everything(whole_desk: Desk) -> None:
    output = whole_desk.up()

    output.process.send_signal(signal.SIGINT)

    assert output.process.wait(timeout=20) == 0
    assert left_behind(whole_desk) == set()
    assert not whole_desk.folders.sockets.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_signals_stop_everything_too(desk: Desk, number: int) -> None:
    output = desk.up()

    output.process.send_signal(number)

    assert output.process.wait(timeout=20) == 0
    assert left_behind(desk) == set()


def test_a_signal_while_it_starts_stops_everything(whole_desk: Desk) -> None:
    output = whole_desk.begin_up()
    wait_for(lambda: list(whole_desk.state.glob("postgres*")))

    output.process.send_signal(signal.SIGTERM)

    output.process.wait(timeout=20)
    assert left_behind(whole_desk) == set()


@pytest.mark.races
def test_a_killed_up_takes_its_servers_along(whole_desk: Desk) -> None:
    whole_desk.up().process.kill()

    wait_for(lambda: not left_behind(whole_desk))


@pytest.mark.races
def test_a_killed_up_leaves_nothing_that_the_next_cannot_clear(desk: Desk) -> None:
    first = desk.up({"web": WEB, "worker": STUBBORN})
    before = children_of(desk.running)
    first.process.kill()
    first.process.wait()

    desk.up()

    assert not [process for process in before if process.is_running()]


def children_of(record: Record) -> list[processes.Process]:
    return [child.process for child in record.children if child.process]


@pytest.mark.races
def test_down_clears_what_a_killed_up_left(desk: Desk) -> None:
    output = desk.up({"web": WEB, "worker": STUBBORN})
    output.process.kill()
    output.process.wait()

    down = desk.run("down")

    assert "Cleared" in down.stdout
    assert left_behind(desk) == set()


def test_a_command_of_the_desk_says_that_nothing_is_up(whole_desk: Desk) -> None:
    done = whole_desk.run("orders")

    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "not up" in done.stderr


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_port_that_was_asked_for_and_is_taken_is_refused(
    desk: Desk, taken_port: int
) -> None:
    desk.variables["PORT"] = str(taken_port)

    done = desk.run("up")

    assert done.returncode == 1
    assert f"port {taken_port} cannot be had" in done.stderr


def test_what_a_shop_was_made_with_is_kept(whole_desk: Desk, free_port: int) -> None:
    whole_desk.variables |= {"PORT": str(free_port), "CURRENCY": "CHF"}
    whole_desk.variables |= {"TIMEZONE": "Europe/Zurich", "LOCALE": "de-CH"}
    whole_desk.up()
    with psycopg.connect(whole_desk.running.environment["ADMIN_DATABASE_URL"]) as owner:
        owner.execute(
            """
            INSERT INTO events (stream_id, type, version, data, metadata, occurred_at)
            VALUES ('order-1', 'OrderCreated', 1, '{"currency": "CHF"}', '{}', now())
            """
        )
    stop(whole_desk)
    whole_desk.variables.clear()

    output = whole_desk.up()
    kept = whole_desk.running.environment
    stop(whole_desk)
    whole_desk.variables["LOCALE"] = "fr-CH"
    moved = whole_desk.up()
    stop(whole_desk)
    whole_desk.variables["CURRENCY"] = "EUR"
    refused = whole_desk.run("up")

    assert output.port == free_port
    assert (kept["CURRENCY"], kept["TIMEZONE"]) == ("CHF", "Europe/Zurich")
    assert kept["LOCALE"] == "de_CH"
    assert "LOCALE was de_CH, now fr_CH" in moved.text
    assert refused.returncode == 78
    assert refused.stderr.count("\n") == 1
    assert "set CURRENCY to CHF" in refused.stderr


def stop(desk: Desk) -> None:
    desk.output.process.send_signal(signal.SIGTERM)
    desk.output.process.wait(timeout=30)


@pytest.mark.races
def test_the_servers_are_reached_again_after_their_sockets_were_removed(
    whole_desk: Desk,
) -> None:
    whole_desk.up()
    url = whole_desk.running.environment["DATABASE_URL"]

    shutil.rmtree(whole_desk.folders.sockets)

    wait_for(lambda: answers(url), within=20)
    wait_for((whole_desk.folders.sockets / "redis.sock").exists)


@pytest.mark.races
def test_up_lives_on_while_its_disk_is_full(whole_desk: Desk) -> None:
    whole_desk.state.mkdir(mode=0o700)
    disk = ["mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", str(whole_desk.state)]
    if subprocess.run(disk, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        whole_desk.up()
        ballast = whole_desk.state / "ballast"
        fill(ballast)

        os.kill(whole_desk.child("web"), signal.SIGKILL)

        wait_for(lambda: "status may be out of date" in whole_desk.output.text)
        ballast.unlink()
        killed = whole_desk.child("web")
        wait_for(lambda: whole_desk.child("web") not in (0, killed))
        url = whole_desk.running.environment["DATABASE_URL"]
        wait_for(lambda: answers(url), within=30)
    finally:
        whole_desk.close()
        subprocess.run(["umount", str(whole_desk.state)], check=True)


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as ballast:
        for size in (1 << 20, 1 << 12, 1):
            with suppress(OSError):
                while True:
                    ballast.write(bytes(size))


def test_without_a_wish_it_takes_the_next_free_port(desk: Desk) -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", 5000))
            listener.listen()
        except OSError:
            pass  # somebody else takes it already, which serves as well

        output = desk.up()

    assert output.port > 5000
    assert "port 5000 is taken" in output.text


def test_who_cannot_start_is_named_and_everything_is_stopped(desk: Desk) -> None:
    output = desk.begin_up({"web": "echo no such engine; exit 3"})

    assert output.process.wait(timeout=30) == 1
    assert "web cannot start" in output.text
    assert "no such engine" in output.text
    assert left_behind(desk) == set()


def test_a_child_gets_what_it_needs_in_its_environment(desk: Desk) -> None:
    desk.up({"web": WEB, "worker": 'env > "$STATE_DIR/env"; exec sleep 1000'})

    wait_for((desk.state / "env").exists)
    lines = (desk.state / "env").read_text().splitlines()
    names = {line.partition("=")[0] for line in lines}
    assert {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "PORT", "STATE_DIR"} <= names


@pytest.mark.skipif(
    os.geteuid() != 0, reason="the other tests run as this user already"
)
def test_an_ordinary_user_can_start_it() -> None:
    user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    tried = [*user, "sh", "-c", '"$0" -c "import embedded.up"; exit $?', sys.executable]
    if subprocess.run(tried, cwd=ROOT, capture_output=True).returncode != 0:
        pytest.skip("an ordinary user cannot run this checkout's Python")
    with tempfile.TemporaryDirectory(prefix="recount test ") as home:
        os.chown(home, 65534, 65534)
        desk = Desk(Path(home) / "local", {"HOME": home}, prefix=user)

        try:
            output = desk.up(PROCFILE)

            assert urlopen(f"http://127.0.0.1:{output.port}").status == 200
        finally:
            desk.close()
