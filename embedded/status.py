"""`./recount status`: the processes, and then what the order desk says of itself."""

from datetime import datetime

from embedded import handover, record
from embedded.environment import variables_given
from embedded.folders import folders_from
from embedded.record import Record, RecordedChild

NOT_UP = 3
"""What the Linux Standard Base has a status command return for "not running"."""


def status() -> int:
    environment = variables_given()
    running = record.read_running(folders_from(environment))
    if running is None:
        print("Recount is not up.", flush=True)
        return handover.run(["status"]) if "DATABASE_URL" in environment else NOT_UP
    print("\n".join(lines(running)), flush=True)
    if "DATABASE_URL" not in running.environment:
        return 0
    print(flush=True)
    return handover.run(["status"])


def lines(running: Record) -> list[str]:
    where = f"up at {running.address}" if running.address else "starting"
    table = [("process", "pid", "state", "since", "restarts")]
    table += [row(child) for child in running.children]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        f"Recount is {where} (pid {running.up.pid}).",
        *("  ".join(map(str.ljust, line, widths)).rstrip() for line in table),
    ]


def row(child: RecordedChild) -> tuple[str, str, str, str, str]:
    since = datetime.fromtimestamp(child.since).astimezone()
    return (
        child.name,
        str(child.process.pid) if child.process else "-",
        child.state,
        since.isoformat(sep=" ", timespec="seconds"),
        str(child.restarts),
    )
