"""The rules of keeping processes alive and of stopping them."""

import errno
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from embedded.child import Child, Program, pause_after
from embedded.console import Console
from embedded.errors import CannotStart, StopRequested
from embedded.supervisor import Supervisor

READY_THEN_STOP = """
trap 'echo {name} >> "$ENDED"; exit 0' TERM
touch "$READY.{name}"
while :; do sleep 0.02; done
"""


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    supervisor = Supervisor(Console())
    with supervisor.signals_caught():
        yield supervisor
        supervisor.stop_requests = 2
        supervisor.stop_all()


@pytest.fixture
def ended(tmp_path: Path) -> Path:
    return tmp_path / "ended"


def shell(name: str, command: str, ended: Path) -> Program:
    return Program(
        name=name,
        command=["sh", "-c", command],
        environment={
            "PATH": os.environ["PATH"],
            "ENDED": os.fspath(ended),
            "READY": os.fspath(ended.with_name("ready")),
        },
        folder=ended.parent,
        log=ended.with_name(f"{name}.log"),
    )


def ready(name: str, ended: Path) -> Path:
    return ended.with_name(f"ready.{name}")


def start(supervisor: Supervisor, name: str, ended: Path) -> Child:
    child = supervisor.start(shell(name, READY_THEN_STOP.format(name=name), ended))
    supervisor.tend_until(ready(name, ended).exists, what=name, within=10)
    return child


def test_a_child_that_dies_is_started_again(
    supervisor: Supervisor, ended: Path
) -> None:
    child = start(supervisor, "worker", ended)
    assert child.process is not None
    killed = child.process.pid

    os.kill(killed, signal.SIGKILL)
    supervisor.tend_until(lambda: child.restarts == 1, what="a restart", within=10)

    assert child.process.pid != killed


def test_what_a_dead_leader_leaves_of_its_group_is_ended(
    supervisor: Supervisor, ended: Path
) -> None:
    family = 'sleep 1000 & echo $! > "$READY.pool"; exec sleep 1000'
    child = supervisor.start(shell("worker", family, ended))
    pool = ready("pool", ended)
    supervisor.tend_until(
        lambda: pool.exists() and pool.read_text().endswith("\n"),
        what="pool",
        within=10,
    )
    pool_child = Path(f"/proc/{pool.read_text().strip()}/cmdline")
    assert child.process is not None

    os.kill(child.process.pid, signal.SIGKILL)

    supervisor.tend_until(
        lambda: not pool_child.exists() or not pool_child.read_bytes(),
        what="the end of the pool's child",
        within=10,
    )


def test_the_pause_doubles_up_to_ten_seconds() -> None:
    pauses = [pause_after(deaths) for deaths in (1, 2, 3, 7, 8, 100)]

    assert pauses == [0.1, 0.2, 0.4, 6.4, 10.0, 10.0]


def test_the_web_stops_first_and_the_worker_last(
    supervisor: Supervisor, ended: Path
) -> None:
    for name in ("worker", "relay", "web", "beat"):
        start(supervisor, name, ended)

    supervisor.stop_all()

    assert ended.read_text().split() == ["web", "beat", "relay", "worker"]


def test_only_the_leader_is_asked_to_stop(supervisor: Supervisor, ended: Path) -> None:
    pool_child = """trap 'echo interrupted >> "$ENDED"' TERM; touch "$READY.pool"
    while [ ! -e "$ENDED.work" ]; do sleep 0.02; done; echo finished >> "$ENDED" """
    leader = f"({pool_child}) & trap 'touch \"$ENDED.work\"; wait; exit 0' TERM; wait"
    supervisor.start(shell("worker", leader, ended))
    pool = ready("pool", ended)
    supervisor.tend_until(pool.exists, what="the pool's child", within=10)

    supervisor.stop_all()

    assert ended.read_text().split() == ["finished"]


def test_a_second_request_to_stop_does_not_wait_for_the_stubborn(
    supervisor: Supervisor, ended: Path
) -> None:
    stubborn = "trap '' TERM; touch \"$READY.web\"; while :; do sleep 0.05; done"
    child = supervisor.start(shell("web", stubborn, ended))
    supervisor.tend_until(ready("web", ended).exists, what="web", within=10)

    supervisor.stop_requests = 2
    supervisor.stop_all()

    assert child.ended_with == -signal.SIGKILL


def test_a_child_that_cannot_start_is_named_with_the_end_of_its_log(
    supervisor: Supervisor, ended: Path
) -> None:
    supervisor.start(shell("relay", "echo the engine is missing; exit 3", ended))

    with pytest.raises(CannotStart, match=r"(?s)relay .* status 3.*engine is missing"):
        supervisor.tend_until(lambda: False, what="anything", within=10)


def test_what_cannot_be_written_down_is_written_down_later(
    supervisor: Supervisor, ended: Path
) -> None:
    is_full, written = [True], []

    def write(supervisor: Supervisor) -> None:
        if is_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(len(supervisor.children))

    supervisor.on_change = write
    child = start(supervisor, "web", ended)
    assert child.is_running

    is_full.clear()
    supervisor.tend()

    assert written == [1]


def test_a_child_for_which_there_is_no_room_is_started_when_there_is(
    supervisor: Supervisor, ended: Path
) -> None:
    is_full = [True]

    def need_room() -> None:
        if is_full:
            raise OSError(errno.ENOSPC, "No space left on device")

    program = shell("relay", READY_THEN_STOP.format(name="relay"), ended)
    child = supervisor.start(replace(program, before_start=need_room))
    assert not child.is_running
    assert "No space left on device" in child.how_it_ended()

    is_full.clear()

    supervisor.tend_until(ready("relay", ended).exists, what="the relay", within=10)


def test_what_a_child_cannot_start_with_is_moved_away_before_it_is_given_up(
    supervisor: Supervisor, ended: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = ended.with_name("damaged")
    damaged.touch()

    def repair() -> str:
        damaged.unlink()
        return "moved away"

    command = f"[ ! -e damaged ] || exit 1; {READY_THEN_STOP.format(name='redis')}"
    supervisor.start(replace(shell("redis", command, ended), repair=repair))

    supervisor.tend_until(ready("redis", ended).exists, what="redis", within=10)
    assert "moved away" in capsys.readouterr().out


def test_a_child_whose_socket_was_removed_is_started_again(
    supervisor: Supervisor, ended: Path
) -> None:
    socket = ready("redis", ended)
    program = shell("redis", READY_THEN_STOP.format(name="redis"), ended)
    child = supervisor.start(replace(program, needs=socket))
    supervisor.tend_until(socket.exists, what="redis", within=10)
    supervisor.tend()

    socket.unlink()

    supervisor.tend_until(socket.exists, what="its socket", within=10)
    assert child.restarts == 1


def test_a_signal_ends_a_start(supervisor: Supervisor) -> None:
    os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(StopRequested):
        supervisor.tend_until(lambda: False, what="anything", within=10)
