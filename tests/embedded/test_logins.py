"""Which databases a process of `up` may reach."""

import pytest

from embedded.logins import for_process

ADDRESSES = {
    "WEB_DATABASE_URL": "postgresql://web@/recount",
    "WORKER_DATABASE_URL": "postgresql://worker@/recount",
    "ADMIN_DATABASE_URL": "postgresql://owner@/recount",
    "DATABASE_URL": "postgresql://owner@/recount",
}
TO_READ = {
    "REPLICA_DATABASE_URL": "postgresql://web@/recount?host=/replica",
    "READ_DATABASE_URL": "postgresql://reads@db2.example/reads",
}


@pytest.mark.parametrize(("process", "own"), [("web", "WEB"), ("beat", "WORKER")])
def test_a_process_has_its_own_login_and_the_databases_to_read_from(
    process: str, own: str
) -> None:
    given = {**ADDRESSES, **TO_READ, "PORT": "5000"}

    name = f"{own}_DATABASE_URL"
    assert for_process(process, given) == {
        name: ADDRESSES[name],
        **TO_READ,
        "PORT": "5000",
    }
