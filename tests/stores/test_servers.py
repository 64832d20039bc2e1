"""
The servers of the tests really write and read, and come back as their verbs say.

They stand for families of servers. Of these only OpenSearch 2.19, FerretDB 1.24, Valkey
9.1 and PostgreSQL 18 ever ran here: not Elasticsearch 8 or 9, and not MongoDB 7 or 8.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import cast

import psycopg
import pytest
import redis

from tests.stores.servers.cache import CacheServer
from tests.stores.servers.postgres import PostgresServer, ReplicaServer
from tests.stores.slates import FEW, KINDS, Slate, slate_in_cache

pytestmark = pytest.mark.stores

DURABLE = sorted(KINDS.keys() - {"cache_server"})


@pytest.fixture(params=KINDS)
def slate(request: pytest.FixtureRequest) -> Iterator[Slate]:
    with closing(KINDS[request.param](request.getfixturevalue(request.param))) as slate:
        yield slate


@pytest.fixture(params=DURABLE)
def durable(request: pytest.FixtureRequest) -> Iterator[Slate]:
    """A slate in a server that keeps what it has acknowledged."""
    with closing(KINDS[request.param](request.getfixturevalue(request.param))) as slate:
        yield slate


def test_what_is_written_is_read(slate: Slate) -> None:
    assert slate.read() is None

    slate.write("one")
    assert slate.read() == "one"

    slate.write("two")
    assert slate.read() == "two"


def test_what_was_acknowledged_outlives_a_kill(durable: Slate) -> None:
    durable.write("kept")

    durable.server.kill()
    with pytest.raises(durable.errors):
        durable.read_within(FEW)
    durable.server.start()

    assert durable.read() == "kept"


def test_a_restart_keeps_address_and_data(durable: Slate) -> None:
    durable.write("kept")
    url = durable.server.url

    durable.server.restart()

    assert durable.server.url == url
    assert durable.read() == "kept"


def test_a_paused_server_does_not_answer_until_it_goes_on(slate: Slate) -> None:
    slate.write("there")

    slate.server.pause()
    with pytest.raises(slate.errors):
        slate.read_within(FEW)
    slate.server.resume()

    assert slate.read() == "there"


def test_an_older_copy_of_the_data_can_be_put_in_its_place(
    durable: Slate, tmp_path: Path
) -> None:
    durable.write("older")
    durable.server.save(tmp_path / "copy")
    durable.write("newer")

    durable.server.restore(tmp_path / "copy")

    assert durable.read() == "older"


def test_an_emptied_server_starts_with_nothing(slate: Slate) -> None:
    slate.write("lost")

    slate.server.empty()

    assert slate.read() is None


def test_a_cache_keeps_nothing_over_a_restart(cache_server: CacheServer) -> None:
    with closing(slate_in_cache(cache_server)) as slate:
        slate.write("lost")

        cache_server.restart()

        assert slate.read() is None


def test_a_cache_forgets_what_has_no_room(cache_server: CacheServer) -> None:
    with redis.Redis.from_url(cache_server.url) as client:
        for number in range(80):
            client.set(f"large-{number}", b"x" * (1 << 20))

        assert 0 < cast(int, client.dbsize()) < 80


def test_the_replica_has_the_databases_of_the_primary_read_only(
    replica: ReplicaServer, database: str
) -> None:
    replica.catch_up()
    here, there = plain(database), replica.url_for(database)

    with psycopg.connect(here, autocommit=True) as primary:
        primary.execute("CREATE TABLE slate (value text)")
        primary.execute("INSERT INTO slate VALUES ('one')")
    replica.catch_up()

    with psycopg.connect(there, autocommit=True) as standby:
        assert standby.execute("SELECT value FROM slate").fetchall() == [("one",)]
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            standby.execute("INSERT INTO slate VALUES ('two')")


def test_a_replica_that_was_away_gets_what_it_missed(
    replica: ReplicaServer, database: str
) -> None:
    replica.kill()
    with psycopg.connect(plain(database), autocommit=True) as primary:
        primary.execute("CREATE TABLE slate (value text)")
    replica.start()
    replica.catch_up()

    with psycopg.connect(replica.url_for(database)) as standby:
        assert standby.execute("SELECT count(*) FROM slate").fetchone() == (0,)


def test_an_emptied_replica_is_copied_from_the_primary_again(
    replica: ReplicaServer, database: str
) -> None:
    replica.empty()
    replica.catch_up()

    with psycopg.connect(replica.url_for(database)) as standby:
        assert standby.execute("SELECT 1").fetchone() == (1,)


def test_the_replica_is_the_primary_s_copy_and_the_second_postgres_is_another(
    replica: ReplicaServer, second_postgres: PostgresServer, database: str
) -> None:
    query = "SELECT system_identifier FROM pg_control_system()"

    def identify(url: str) -> object:
        with psycopg.connect(url) as session:
            return session.execute(query).fetchone()

    assert identify(replica.url) == identify(plain(database))
    assert identify(second_postgres.url) != identify(plain(database))


def plain(url: str) -> str:
    """Return a URL of SQLAlchemy as psycopg takes it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)
