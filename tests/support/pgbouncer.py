"""PgBouncer as a pooler before PostgreSQL, where it is installed."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from pwd import getpwnam
from tempfile import TemporaryDirectory

import sqlalchemy as sa

from tests.support.lossy import LossyProxy
from tests.support.processes import accepts, free_port
from tests.support.waiting import wait_until

INI = """
[databases]
* = {server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pidfile = {folder}/pid
logfile = {folder}/log
{settings}
"""


def pgbouncer_program() -> str | None:
    """Return the program of Debian's package, where that is installed."""
    return shutil.which("pgbouncer") or shutil.which("/usr/sbin/pgbouncer")


@contextmanager
def pgbouncer(url: str, *settings: str) -> Iterator[str]:
    """Run PgBouncer before the server at *url*; yield the URL that leads through it."""
    program = pgbouncer_program()
    assert program is not None
    through = LossyProxy(url)
    target, port = sa.make_url(through.url), free_port()
    with TemporaryDirectory(prefix="recount-") as folder:
        ini = Path(folder) / "pgbouncer.ini"
        ini.write_text(
            INI.format(
                server=f"host=127.0.0.1 port={target.port} user={target.username}",
                port=port,
                folder=folder,
                settings="\n".join(settings),
            )
        )
        command = [program, "-q", str(ini)]
        if os.geteuid() == 0:
            # It refuses to run as root.
            nobody = getpwnam("nobody")
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
            os.chown(ini, nobody.pw_uid, nobody.pw_gid)
            command[1:1] = ["-u", "nobody"]
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            wait_until(lambda: accepts(port), "PgBouncer listens")
            yield target.set(port=port).render_as_string(hide_password=False)
        finally:
            process.terminate()
            process.wait()
            through.close()
