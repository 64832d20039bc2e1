"""Who is forgotten leaves the files of a replica, once an operator has cleaned up."""

import psycopg
import pytest

from domain.customers.commands import ForgetCustomer
from tasks.shop.wiring import Shop
from tests.stores.servers.postgres import PostgresServer, ReplicaServer
from tests.support.desk import Do
from tests.support.persons import Person, clean_postgres
from tests.support.plaintext import count_files, files_with

pytestmark = pytest.mark.stores


def test_who_is_forgotten_leaves_all_files_of_a_replica(
    shop: Shop, standby: ReplicaServer, second_postgres: PostgresServer, do: Do
) -> None:
    person = Person()
    here = shop.settings.database_url.replace("+psycopg", "")
    folders = {
        "primary": [second_postgres.folder, second_postgres.folders.state],
        "replica": [standby.folder, standby.folders.state],
    }
    do(*person.commands)
    flush(here, standby)
    before = {name: files_with(folders[name], person.words) for name in folders}
    do(ForgetCustomer(customer_id=person.id))
    flush(here, standby)
    forgotten = {name: files_with(folders[name], person.words) for name in folders}
    clean_postgres(here, standby.url)
    after = {name: files_with(folders[name], person.words) for name in folders}

    for name in folders:
        print(
            f"\n{name}: files with a word before {count_files(before[name])}, after"
            f" forgetting {count_files(forgotten[name])}, after what an operator does"
            f" {count_files(after[name])}"
        )
        for path in sorted(set().union(*after[name].values())):
            print("  remained:", path.relative_to(folders[name][1]))
    assert all(before["replica"].values())
    assert count_files(after["replica"]) == 0
    assert count_files(after["primary"]) == 0


def flush(primary: str, standby: ReplicaServer) -> None:
    """Have all that both servers have in memory written to their disks."""
    with psycopg.connect(primary, autocommit=True) as session:
        session.execute("CHECKPOINT")
    standby.catch_up()
    with psycopg.connect(standby.url, autocommit=True) as session:
        session.execute("CHECKPOINT")
