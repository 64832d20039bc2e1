"""Databases for tests: a template that is migrated once, and clones of it."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import sqlalchemy as sa

MASTER_KEY = "b2Ygbm8gdXNlIG91dHNpZGUgb2YgdGhlIHRlc3RzISE="
"""Of no use outside of the tests."""

ROOT = Path(__file__).resolve().parents[2]


LOGINS = ("web", "worker", "relay", "reader", "operator")
PASSWORD = "of-no-use-outside-of-the-tests"


def login_of(role: str) -> str:
    return f"test_of_recount_{role}"


def as_role(url: str, role: str) -> str:
    """Return *url* with a login that has the rights of that role alone."""
    return (
        sa.make_url(url)
        .set(username=login_of(role), password=PASSWORD)
        .render_as_string(hide_password=False)
    )


class Databases:
    """The databases of one server; all that run tests on it share the template."""

    def __init__(self, url: sa.URL) -> None:
        self.url = url
        self.engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
        self.template = f"template_{schema_hash()}"

    def clone(self, name: str) -> str:
        """Make a database from the template and return its URL."""
        with self.engine.connect() as connection:
            # Cloning needs a template that nobody is connected to, one at a time.
            connection.execute(sa.text("SELECT pg_advisory_lock(4711)"))
            if not self.exists(connection, self.template):
                self.make_template(connection)
            self.ensure_logins(connection)
            connection.execute(
                sa.text(f"CREATE DATABASE {name} TEMPLATE {self.template}")
            )
            # Not copied: it is a property of the name, and not of what is in it.
            connection.execute(
                sa.text(f"REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC")
            )
            connection.execute(sa.text("SELECT pg_advisory_unlock(4711)"))
        return self.url_of(name)

    def create(self, name: str, options: str = "") -> str:
        """Make an empty database, without our tables, and return its URL."""
        with self.engine.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name} {options}"))
        return self.url_of(name)

    @contextmanager
    def lend(self) -> Iterator[str]:
        """Yield the URL of a clone that nobody else has; it is dropped afterwards."""
        name = new_name()
        try:
            yield self.clone(name)
        finally:
            self.drop(name)

    @contextmanager
    def lend_empty(self, options: str = "") -> Iterator[str]:
        """Yield the URL of a database without our tables, made with *options*."""
        name = new_name()
        try:
            yield self.create(name, options)
        finally:
            self.drop(name)

    def drop(self, name: str) -> None:
        with self.engine.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))

    def close(self) -> None:
        self.engine.dispose()

    def ensure_logins(self, connection: sa.Connection) -> None:
        """Make a login for each role; the roles are the server's, as the logins are."""
        known = set(connection.scalars(sa.text("SELECT rolname FROM pg_roles")))
        for role in LOGINS:
            if login_of(role) not in known:
                connection.exec_driver_sql(
                    f"CREATE ROLE {login_of(role)} LOGIN PASSWORD '{PASSWORD}'"
                    f" IN ROLE recount_{role}"
                )

    def exists(self, connection: sa.Connection, name: str) -> bool:
        query = sa.text("SELECT 1 FROM pg_database WHERE datname = :name")
        return connection.scalar(query, {"name": name}) is not None

    def make_template(self, connection: sa.Connection) -> None:
        # Under another name first: a run that is stopped half way leaves no template.
        connection.execute(sa.text("DROP DATABASE IF EXISTS template_in_the_making"))
        connection.execute(sa.text("CREATE DATABASE template_in_the_making"))
        migrate(self.url_of("template_in_the_making"))
        connection.execute(
            sa.text(f"ALTER DATABASE template_in_the_making RENAME TO {self.template}")
        )

    def url_of(self, name: str) -> str:
        return self.url.set(database=name).render_as_string(hide_password=False)


def in_encoding(encoding: str) -> str:
    """Return the options of CREATE DATABASE that every server takes for *encoding*."""
    return f"ENCODING '{encoding}' TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C'"


def new_name() -> str:
    return f"t_{uuid4().hex[:16]}"


def migrate(url: str, revision: str = "head", **variables: str) -> None:
    """Bring the database at *url* to a migration, the newest, as `alembic` does it."""
    subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", revision],
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": url,
            "REDIS_URL": "redis+socket:///nowhere",
            "SECRET_KEY": "of no use outside of the tests, 32+",
            "MASTER_KEY": MASTER_KEY,
            **variables,
        },
        check=True,
        capture_output=True,
    )


def schema_hash() -> str:
    """Return a hash of what makes the schema, so that a change makes a new template."""
    digest = hashlib.sha256()
    for folder in ("alembic", "eventstore", "readmodels", "tasks"):
        for path in sorted((ROOT / folder).rglob("*.*")):
            if path.suffix in (".py", ".sql"):
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
