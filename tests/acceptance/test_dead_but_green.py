"""
Each way to stop the processes that read is shown everywhere within ten seconds.

Real processes are stopped, killed, locked out and deprived of rights, and then an order
is placed. The seconds count from then on, until each place that can be asked says it.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tasks import catch_up
from tasks.shop import wiring
from tasks.shop.settings import Settings
from tasks.shop.wiring import Shop
from tests.support.desk import alice, place, rename
from tests.support.engine import connect
from tests.support.fence import INSERT
from tests.support.processes import Processes
from tests.support.real_readers import Scene
from tests.support.standing_still import LIST, STEPPED
from tests.support.waiting import wait_until

pytestmark = pytest.mark.races

MAX_SECONDS = 10.0
FAULTY = "tests.support.faulty_folds"


@pytest.fixture
def scene(
    processes: Processes,
    settings: Settings,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Scene]:
    monkeypatch.setattr("tasks.broker.publish.send", lambda *_: None)
    shop = Shop(settings)
    wiring.use(shop)
    processes.redis()
    shop.ensure_read_models()
    scene = Scene(processes, shop, processes.web(), folder)
    scene.do(alice, "first")
    scene.do(place, "second")
    catch_up.run(shop)
    yield scene
    scene.send(signal.SIGCONT)
    shop.engine.dispose()


Way = Callable[[Scene], Iterator[None]]


def all_are_stopped(scene: Scene) -> Iterator[None]:
    scene.start()
    scene.send(signal.SIGSTOP)
    scene.do()
    yield


def all_are_dead(scene: Scene) -> Iterator[None]:
    scene.start()
    for reader in scene.readers:
        reader.kill()
    scene.readers.clear()
    scene.do()
    yield


def its_row_is_held(scene: Scene) -> Iterator[None]:
    scene.start()
    with connect(scene.shop.settings.database_url, autocommit=False) as holder:
        holder.execute("SET application_name = 'psql'")
        holder.execute("SELECT FROM subscriptions WHERE name = %s FOR UPDATE", (LIST,))
        scene.do()
        yield


def an_append_is_open(scene: Scene) -> Iterator[None]:
    scene.start()
    with connect(scene.shop.settings.database_url, autocommit=False) as slow:
        slow.execute(INSERT, ("order-slow", 1))
        scene.do()
        yield


def stated(statement: str) -> Way:
    def way(scene: Scene) -> Iterator[None]:
        scene.start()
        scene.execute(statement)
        scene.do()
        yield

    return way


def a_key_is_gone(scene: Scene) -> Iterator[None]:
    scene.start()
    scene.send(signal.SIGSTOP)
    scene.do(rename)
    scene.execute("DELETE FROM vault.keys")
    scene.send(signal.SIGCONT)
    yield


def faulty(fold: str) -> Way:
    def way(scene: Scene) -> Iterator[None]:
        scene.start(FAULTY, FOLD=fold)
        scene.do()
        yield

    return way


def the_clock_was_set_back(scene: Scene) -> Iterator[None]:
    """All are stopped, too: the order was placed an hour from now."""
    scene.start()
    scene.send(signal.SIGSTOP)
    scene.do()
    scene.execute(STEPPED.format(by="-1 hour"))
    yield


def the_disk_is_full(scene: Scene) -> Iterator[None]:
    """That of the list alone: a file system of its own, in memory."""
    disk = scene.folder / "disk"
    disk.mkdir()
    scene.folder.chmod(0o755)
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m,mode=777", "recount", str(disk)]
    done = subprocess.run(mount, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    try:
        scene.execute(f"CREATE TABLESPACE small LOCATION '{disk}'")
        scene.execute("ALTER TABLE readmodels.order_list_g1 SET TABLESPACE small")
        scene.execute("TRUNCATE readmodels.order_list_g1")
        ballast = disk / "ballast"
        with suppress(OSError), ballast.open("wb") as file:
            while os.write(file.fileno(), bytes(4_096)):
                pass
        scene.start()
        scene.do()
        yield
        ballast.unlink()
        scene.execute("DROP TABLE readmodels.order_list_g1 CASCADE")
        scene.execute("DROP TABLESPACE small")
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


WAYS: dict[str, tuple[set[str], Way]] = {
    "SIGSTOP of worker and relay": ({"idle"}, all_are_stopped),
    "SIGSTOP in the middle of a pass": ({"idle", "locked", "killed"}, faulty("stop")),
    "SIGKILL of worker and relay": ({"idle"}, all_are_dead),
    "its checkpoint is locked": ({"locked"}, its_row_is_held),
    "an append that stays open": ({"held back"}, an_append_is_open),
    "no right to the table": (
        {"rights"},
        stated(
            "REVOKE INSERT, UPDATE ON readmodels.order_list_g1"
            " FROM recount_readmodels, recount_worker, recount_relay"
        ),
    ),
    "no right to the checkpoints": (
        {"rights"},
        stated(
            "REVOKE UPDATE ON subscriptions"
            " FROM recount_worker, recount_relay, recount_operator"
        ),
    ),
    "the disk is full": ({"disk"}, the_disk_is_full),
    "an error in every fold": ({"code"}, faulty("fail")),
    "a fold that kills its process": ({"killed", "idle"}, faulty("kill")),
    "the table was dropped": (
        {"table"},
        stated("DROP TABLE readmodels.order_list_g1_customers"),
    ),
    "made for other code": (
        {"outdated"},
        stated("UPDATE generations SET shape = 'x' WHERE read_model = 'order_list'"),
    ),
    "a key is missing": ({"keys"}, a_key_is_gone),
    "PostgreSQL's clock was set back": ({"idle"}, the_clock_was_set_back),
}
"""What may be said as the reason, and how it is brought about."""
QUICK = {"SIGSTOP of worker and relay"}


def find_seconds(scene: Scene) -> dict[str, tuple[float, str]]:
    """Return after how many seconds each place has told it first, and how."""
    places = scene.places()
    told: dict[str, tuple[float, str]] = {}

    def is_told_everywhere() -> bool:
        for place_, ask in places.items():
            if place_ not in told and (answer := ask()) is not None:
                told[place_] = (time.monotonic() - scene.placed_at, answer)
        return told.keys() == places.keys()

    wait_until(is_told_everywhere, f"all places tell it: {told}", seconds=60)
    return told


@pytest.mark.parametrize(
    "way",
    [
        way if way in QUICK else pytest.param(way, marks=pytest.mark.long)
        for way in WAYS
    ],
)
def test_it_is_told_everywhere_within_ten_seconds(way: str, scene: Scene) -> None:
    words, bring_about = WAYS[way]
    with contextmanager(bring_about)(scene):
        told = find_seconds(scene)

    print(f"\n{way}")
    for place_, (seconds, answer) in told.items():
        print(f"  {seconds:5.1f} s  {place_:8} {answer}")
    assert max(seconds for seconds, _ in told.values()) < MAX_SECONDS
    assert {told[name][1] for name in ("api", "readyz", "metrics")} <= words
