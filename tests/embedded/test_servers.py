"""The rules of our own PostgreSQL and Redis, in every way that they can be run."""

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote

import kombu
import psycopg
import pytest
import sqlalchemy as sa
from redis import Redis

from embedded import environment as variables
from embedded.console import Console
from embedded.errors import BinariesMissing, FolderOfAnother
from embedded.folders import Folders, make_private
from embedded.identity import USER_NAMESPACE
from embedded.servers import start_servers
from embedded.supervisor import Supervisor
from tasks.shop.setting_values import broker_url, database_url

IS_ROOT = os.geteuid() == 0
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]

only_root = pytest.mark.skipif(not IS_ROOT, reason="only root has to go around the ban")


def ways() -> list[str]:
    return ["userns", "nobody"] if IS_ROOT else ["same user"]


@pytest.fixture(params=ways(), scope="module")
def way(request: pytest.FixtureRequest) -> str:
    way = str(request.param)
    if way == "userns" and not USER_NAMESPACE.can_run("true"):
        pytest.skip("this kernel gives root no user namespace")
    return way


@pytest.fixture
def folders() -> Iterator[Folders]:
    with new_folders() as folders:
        yield folders


@pytest.fixture(scope="module")
def running(way: str) -> Iterator[tuple[Folders, dict[str, str]]]:
    """Servers that run each way, and the environment of their clients."""
    with new_folders() as folders, servers(folders, way) as environment:
        yield folders, environment


@contextmanager
def new_folders() -> Iterator[Folders]:
    """Give folders that nobody can reach, as in most checkouts; tmp_path is root's."""
    base = Path(tempfile.mkdtemp(prefix="recount test "))
    base.chmod(0o755)
    folders = Folders(base / "local")
    try:
        yield folders
    finally:
        shutil.rmtree(base)
        if IS_ROOT:
            shutil.rmtree(folders.elsewhere, ignore_errors=True)


@contextmanager
def servers(folders: Folders, way: str, **given: str) -> Iterator[dict[str, str]]:
    """Run both servers, and give the environment that their clients get."""
    supervisor = Supervisor(Console())
    given = {"PATH": os.environ["PATH"], "POSTGRES_AS_ROOT": way, **given}
    folders.make()
    environment = variables.for_children(given, folders)
    try:
        yield start_servers(supervisor, folders, environment, {})
    finally:
        supervisor.stop_all()
        folders.forget_sockets()


def test_the_clients_connect_with_the_addresses_as_they_are(
    running: tuple[Folders, dict[str, str]],
) -> None:
    _, environment = running
    engine = sa.create_engine(database_url(environment["DATABASE_URL"]))
    with engine.connect() as connection:
        name = connection.execute(sa.text("SELECT current_database()")).scalar()
    engine.dispose()
    with kombu.Connection(broker_url(environment["REDIS_URL"])) as broker:
        queue = broker.SimpleQueue("commands")
        queue.put("hello")
        received = queue.get(timeout=5)
        received.ack()
        queue.close()

    assert (name, received.payload) == ("recount", "hello")


def test_postgres_keeps_what_it_has_committed(
    running: tuple[Folders, dict[str, str]],
) -> None:
    _, environment = running
    durable = ("fsync", "full_page_writes", "synchronous_commit")

    with psycopg.connect(environment["DATABASE_URL"]) as connection:
        values = [connection.execute(f"SHOW {name}").fetchone() for name in durable]

    assert values == [("on",)] * 3


def torn_end(data: Path) -> None:
    (log,) = data.glob("appendonlydir/*.incr.aof")
    log.write_bytes(log.read_bytes() + bytes(4096))


def empty_manifest(data: Path) -> None:
    (data / "appendonlydir" / "appendonly.aof.manifest").write_bytes(b"")


def zeroed_base(data: Path) -> None:
    for base in data.glob("appendonlydir/*.base.*"):
        base.write_bytes(bytes(base.stat().st_size))


@pytest.mark.parametrize("damage", [torn_end, empty_manifest, zeroed_base])
def test_redis_starts_empty_where_a_power_cut_has_damaged_its_files(
    folders: Folders,
    damage: Callable[[Path], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    with only_redis(folders) as client:
        client.set("message", "of yesterday")
    damage(folders.redis)

    with only_redis(folders) as client:
        assert client.get("message") is None

    assert f"set aside in {folders.redis / 'damaged'}" in capsys.readouterr().out
    assert (folders.redis / "damaged" / "appendonlydir").is_dir()


@contextmanager
def only_redis(folders: Folders) -> Iterator[Redis]:
    elsewhere = {"DATABASE_URL": "postgresql://nobody@localhost/asks"}
    with servers(folders, "userns", **elsewhere) as environment:
        address = environment["REDIS_URL"].removeprefix("redis+socket://")
        client = Redis(unix_socket_path=unquote(address))
        yield client
        client.close()


def test_postgres_listens_on_no_port(running: tuple[Folders, dict[str, str]]) -> None:
    _, environment = running

    with psycopg.connect(environment["DATABASE_URL"]) as connection:
        addresses = connection.execute("SHOW listen_addresses").fetchone()

    assert addresses == ("",)


def test_other_users_are_kept_out_of_the_sockets_folder(
    running: tuple[Folders, dict[str, str]],
) -> None:
    folders, _ = running

    assert stat.S_IMODE(folders.sockets.stat().st_mode) & 0o007 == 0


@only_root
@pytest.mark.parametrize("name", [".s.PGSQL.5432", "redis.sock"])
def test_not_even_nobody_reaches_the_servers(
    running: tuple[Folders, dict[str, str]], name: str
) -> None:
    folders, _ = running

    assert not connects_as_nobody(folders.sockets / name)


def connects_as_nobody(path: Path) -> bool:
    connect = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
    command = [*NOBODY, "/usr/bin/python3", "-c", connect, os.fspath(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 or "PermissionError" in done.stderr, done.stderr
    return done.returncode == 0


def test_half_a_cluster_is_made_again(folders: Folders) -> None:
    folders.make()
    half = folders.state / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")

    with servers(folders, ways()[0]):
        assert not half.exists()


def test_a_pid_file_that_names_a_stranger_does_not_stop_a_start(
    folders: Folders,
) -> None:
    way = ways()[0]
    with servers(folders, way):
        copy = (folders.postgres / "postmaster.pid").read_text().splitlines()
    copy[0] = str(os.getpid())
    (folders.postgres / "postmaster.pid").write_text("\n".join(copy) + "\n")

    with servers(folders, way) as environment:
        psycopg.connect(environment["DATABASE_URL"]).close()


@only_root
def test_data_is_not_lost_when_root_must_go_another_way(folders: Folders) -> None:
    with servers(folders, "nobody") as environment:
        execute(environment, "CREATE TABLE orders AS SELECT 10248 AS number")
    folders.state.parent.chmod(0o700)  # from here on as below /root

    for way in ("nobody", "userns"):
        with servers(folders, way) as environment:
            assert execute(environment, "TABLE orders") == [(10248,)]


def execute(environment: dict[str, str], statement: str) -> list[tuple[int]]:
    with psycopg.connect(environment["DATABASE_URL"]) as connection:
        done = connection.execute(statement)
        return done.fetchall() if done.description else []


def test_a_folder_that_somebody_else_made_first_is_refused(tmp_path: Path) -> None:
    if not IS_ROOT:
        pytest.skip("only root can make a folder for somebody else")
    theirs = tmp_path / "recount"
    theirs.mkdir()
    os.chown(theirs, 65534, 65534)

    with pytest.raises(FolderOfAnother):
        make_private(theirs)


def test_a_link_in_place_of_our_folder_is_refused(tmp_path: Path) -> None:
    link = tmp_path / "recount"
    link.symlink_to(tmp_path)

    with pytest.raises(FolderOfAnother):
        make_private(link)


def test_a_setting_without_a_server_in_it_is_said_to_have_none(
    folders: Folders, tmp_path: Path
) -> None:
    with (
        pytest.raises(BinariesMissing, match="POSTGRES_BIN"),
        servers(folders, ways()[0], POSTGRES_BIN=os.fspath(tmp_path)),
    ):
        pass


@pytest.mark.skipif(
    not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")),
    reason="Debian's PostgreSQL is not installed here",
)
def test_debians_postgres_serves_as_well(folders: Folders, way: str) -> None:
    binaries = next(Path("/usr/lib/postgresql").glob("*/bin"))

    with servers(folders, way, POSTGRES_BIN=os.fspath(binaries)) as environment:
        assert execute(environment, "SELECT 1") == [(1,)]
