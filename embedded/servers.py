"""Starts in parallel the servers that are not configured."""

from collections.abc import Callable, Mapping
from functools import partial

from embedded import postgres, redis
from embedded.folders import Folders
from embedded.postgres_home import find_home
from embedded.supervisor import Supervisor

PATIENCE = 60.0


def start_servers(
    supervisor: Supervisor,
    folders: Folders,
    environment: Mapping[str, str],
    tuning: Mapping[str, str],
) -> dict[str, str]:
    """Return *environment* with the addresses of the servers, once they answer."""
    addressed = dict(environment)
    waits: dict[str, Callable[[Folders], bool]] = {}
    if "REDIS_URL" not in environment:
        supervisor.start(redis.redis(folders, environment))
        addressed["REDIS_URL"] = redis.redis_url(folders)
        waits["redis"] = redis.is_ready
    if "DATABASE_URL" not in environment:
        home = find_home(folders, environment)
        supervisor.start(postgres.postgres(home, folders, environment, tuning))
        addressed["DATABASE_URL"] = postgres.database_url(folders)
        waits["postgres"] = postgres.is_ready
    for name, is_ready in waits.items():
        answers = partial(is_ready, folders)
        what = f"an answer of {name}"
        supervisor.tend_until(answers, what=what, within=PATIENCE)
    if waits:
        supervisor.console.say(f"{' and '.join(sorted(waits))} answer")
    return addressed
