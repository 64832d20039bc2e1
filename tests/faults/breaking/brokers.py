"""Redis loses what it has, is frozen, full, away, or wants a password."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from tests.faults.breaking.victims import absent, every, freezing, killing
from tests.faults.desk import REDIS_PASSWORD, Desk
from tests.faults.kind import BLOW, Kind, Seconds
from tests.support.waiting import wait_until

SERVER = every("redis")
AWAY: Seconds = (0.5, 5.0)


@contextmanager
def flush(desk: Desk, chance: Random) -> Iterator[str]:
    with desk.broker() as broker:
        lost = broker.dbsize()
        broker.flushall()
    yield f"{lost} keys flushed"


@contextmanager
def restart_empty(desk: Desk, chance: Random) -> Iterator[str]:
    desk.keeper.take_away("redis")
    wait_until(lambda: desk.keeper.leader("redis") is None, "Redis has ended")
    for path in desk.folders.redis.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
    desk.keeper.let_go("redis")
    yield "-9 redis, which comes again empty"


@contextmanager
def fill_memory(desk: Desk, chance: Random) -> Iterator[str]:
    with desk.broker() as broker:
        broker.config_set("maxmemory", "1")
    try:
        yield "Redis has no memory left"
    finally:
        desk.mend_redis()


@contextmanager
def change_password(desk: Desk, chance: Random) -> Iterator[str]:
    """Set a password, and drop who has come without one."""
    with desk.broker() as broker:
        broker.config_set("requirepass", REDIS_PASSWORD)
        broker.client_kill_filter(_type="normal", skipme=True)
    try:
        yield "another password"
    finally:
        desk.mend_redis()


KINDS = (
    Kind("flush Redis", BLOW, flush),
    Kind("crash Redis", BLOW, killing(SERVER)),
    Kind("restart Redis empty", BLOW, restart_empty),
    Kind("no Redis", AWAY, absent(SERVER)),
    Kind("freeze Redis", AWAY, freezing(SERVER)),
    Kind("fill Redis's memory", AWAY, fill_memory),
    Kind("change Redis's password", AWAY, change_password),
)
