"""`./recount up`: servers, migration, the Procfile's processes; kept running."""

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from honcho.environ import parse_procfile
from msgspec.structs import replace

from embedded import environment as variables
from embedded import leftovers, logins, migration, record, shop_settings
from embedded.child import Child, Program, spawn
from embedded.console import Console
from embedded.errors import (
    AlreadyRunning,
    CannotStart,
    MigrationFailed,
    StopRequested,
    UnfitDatabase,
)
from embedded.folders import ROOT, Folders, folders_from
from embedded.logs import last_lines
from embedded.port import FIRST, HOST, ClaimedPort, claim_port, has_answered
from embedded.servers import start_servers
from embedded.supervisor import Supervisor
from eventstore.session_errors import UnfitSession
from tasks.shop import local_access

INTERRUPTED = 130

HANDED_DOWN = (
    "ADMIN_DATABASE_URL",
    "CACHE_URL",
    "CURRENCY",
    "DATABASE_URL",
    "DOCUMENTS_URL",
    "LOCALE",
    "MASTER_KEY",
    "OPERATOR_DATABASE_URL",
    "PORT",
    "READER_DATABASE_URL",
    "READ_DATABASE_URL",
    "REDIS_URL",
    "REPLICA_DATABASE_URL",
    "SEARCH_URL",
    "SECRET_KEY",
    "STATE_DIR",
    "TIMEZONE",
    "WEBHOOK_ALLOW_PRIVATE",
)
"""The variables that other commands take over from a running `up`."""


def up(procfile: Path) -> int:
    """Run until a signal comes, and return the exit status."""
    console, given = Console(), variables.variables_given()
    folders = folders_from(given)
    try:
        with record.only_one(folders):
            folders.make()
            return Up(console, folders, procfile).run(given)
    except AlreadyRunning:
        console.show(where_it_is(folders))
        return 0


def where_it_is(folders: Folders) -> str:
    running = record.read_running(folders)
    if running is None or not running.address:
        return "Recount is starting already; ./recount status shows how far it is."
    return (
        f"Recount is already up at {running.address} (pid {running.up.pid});"
        " ./recount login prints an address that lets a browser in."
    )


@dataclass(slots=True)
class Up:
    """One run of `up`, from its first process to its last."""

    console: Console
    folders: Folders
    procfile: Path
    environment: dict[str, str] = field(default_factory=dict)
    address: str = ""
    port: ClaimedPort | None = None
    given_port: bool = False

    def run(self, given: Mapping[str, str]) -> int:
        supervisor = Supervisor(self.console, on_change=self.write_record)
        with supervisor.signals_caught():
            try:
                self.start(supervisor, given)
                supervisor.tend_for_ever()
            except StopRequested:
                return INTERRUPTED
            finally:
                self.stop(supervisor)
        return 0

    def start(self, supervisor: Supervisor, given: Mapping[str, str]) -> None:
        self.write_record(supervisor)
        if count := leftovers.clear(self.folders):
            self.console.say(f"cleared {count} processes of an `up` that was killed")
        last = shop_settings.read(self.folders).port or FIRST
        self.port = claim_port(given, last)
        self.given_port = "PORT" in given
        if "PORT" not in given and self.port.number != last:
            self.console.say(f"port {last} is taken, so this is {self.port.number}")
        ours = "DATABASE_URL" not in given
        clean = variables.without_postgres_defaults(given) if ours else given
        children = variables.for_children(
            {**clean, "PORT": str(self.port.number)}, self.folders
        )
        local_access.write_header(self.folders.state, children["SECRET_KEY"])
        local_access.forget_logins(self.folders.state)
        self.environment = start_servers(supervisor, self.folders, children, {})
        self.keep_shop_settings()
        if ours:
            # Before the migrations, which fill the read models as the operator.
            logins.ensure_logins(self.folders)
            self.environment |= logins.variables(self.folders)
        self.migrate(supervisor)
        self.start_procfile(supervisor, self.port.number)

    def keep_shop_settings(self) -> None:
        """
        Run the shop with the settings it was made with, unless they are set.

        Raises BadSetting, and CannotStart where the database does not answer.
        """
        try:
            found = shop_settings.resolve(self.environment, self.folders)
        except psycopg.OperationalError as error:
            raise CannotStart(f"the database does not answer: {error}") from error
        assert self.port is not None
        assert found.currency is not None
        assert found.timezone is not None
        assert found.locale is not None
        before = shop_settings.read(self.folders)
        if before.timezone not in (None, found.timezone):
            self.console.say(f"TIMEZONE was {before.timezone}, now {found.timezone}")
        if before.locale not in (None, found.locale):
            self.console.say(f"LOCALE was {before.locale}, now {found.locale}")
        self.environment |= {
            "CURRENCY": found.currency,
            "TIMEZONE": found.timezone,
            "LOCALE": found.locale,
        }
        # A port that is taken now is tried again at the next start.
        port = found.port if found.port and not self.given_port else self.port.number
        shop_settings.keep(replace(found, port=port), self.folders)

    def migrate(self, supervisor: Supervisor) -> None:
        """
        Bring the database to the newest revision.

        Raises CannotStart where it does not answer, and MigrationFailed.
        """
        try:
            if not migration.is_due(self.folders, self.environment):
                return
        except UnfitSession as error:
            raise UnfitDatabase(str(error)) from error
        except psycopg.OperationalError as error:
            raise CannotStart(f"the database does not answer: {error}") from error
        program = migration.alembic(self.folders, self.environment)
        process = spawn(program)
        try:
            supervisor.tend_until(has_ended(process), what="the migration", within=3600)
        except BaseException:
            process.terminate()
            process.wait()
            raise
        if process.returncode:
            shown = "\n".join(last_lines(program.log, 15))
            raise MigrationFailed(f"the migration failed; {program.log} ends:\n{shown}")
        migration.note_done(self.folders, self.environment)
        self.console.say("migrated")

    def start_procfile(self, supervisor: Supervisor, port: int) -> None:
        commands = parse_procfile(self.procfile.read_text()).processes
        children = {
            name: supervisor.start(self.program(name, command))
            for name, command in commands.items()
        }
        if children:
            self.console.say(f"started {', '.join(children)}")
        if web := children.get("web"):
            supervisor.tend_until(answer(web, port), what="an answer", within=60)
        self.address = f"http://{HOST}:{port}"
        self.write_record(supervisor)
        if not children:
            # As `log rewrite` wants it, which has to be alone.
            self.console.show("The servers are up, and nothing else. Ctrl-C ends it.")
            return
        self.console.show(
            f"Recount is up at {self.address}"
            f" (started in {self.console.seconds:.1f} s)."
            " It listens on this machine only."
        )
        if web:
            secret = local_access.new_login(self.folders.state)
            self.console.show(
                "Open this once, to let your browser in; ./recount login prints"
                f" another:\n  {local_access.address_of(port, secret)}"
            )
        self.console.show("Ctrl-C stops it; ./recount logs -f shows its logs.")

    def program(self, name: str, command: str) -> Program:
        return Program(
            name=name,
            command=["sh", "-c", command],
            environment=logins.for_process(name, self.environment),
            folder=ROOT,
            log=self.folders.logs / f"{name}.log",
        )

    def stop(self, supervisor: Supervisor) -> None:
        if supervisor.children:
            self.console.say("stopping; Ctrl-C again hurries")
        supervisor.stop_all()
        self.folders.forget_sockets()
        if self.port:
            self.port.release()
        self.folders.record.unlink(missing_ok=True)
        self.console.say("stopped")

    def write_record(self, supervisor: Supervisor) -> None:
        record.write(
            record.Record(
                up=record.this_process(),
                address=self.address,
                environment={
                    name: self.environment[name]
                    for name in HANDED_DOWN
                    if name in self.environment
                },
                children=[child.as_recorded() for child in supervisor.children],
            ),
            self.folders,
        )


def has_ended(process: subprocess.Popen[bytes]) -> Callable[[], bool]:
    return lambda: process.poll() is not None


def answer(web: Child, port: int) -> Callable[[], bool]:
    return lambda: web.process is not None and has_answered(port, web.process.pid)
