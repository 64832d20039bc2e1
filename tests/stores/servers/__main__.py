"""
The servers that the tests of read stores use, for building and for trying a store.

`python -m tests.stores.servers` builds what is missing, with a line for each.
`python -m tests.stores.servers search FOLDER` runs one until Ctrl-C, with its data in
FOLDER, and prints the setting that names it; so do `documents` and `postgres`.
"""

import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.stores.servers.building import BuildFailed, Unavailable
from tests.stores.servers.documents import DocumentsServer
from tests.stores.servers.postgres import PostgresServer
from tests.stores.servers.programs import ALL
from tests.stores.servers.search import SearchServer
from tests.stores.servers.server import Server, ServerFailed

TO_TRY: Mapping[str, tuple[str, Callable[[Path], Server]]] = {
    "search": ("SEARCH_URL", SearchServer),
    "documents": ("DOCUMENTS_URL", DocumentsServer),
    "postgres": ("READ_DATABASE_URL", PostgresServer),
}
USAGE = f"usage: python -m tests.stores.servers [{'|'.join(TO_TRY)} FOLDER]"


def main(arguments: list[str]) -> int:
    """Return 1 where something failed, and 2 for arguments that say nothing."""
    if not arguments:
        return build_all()
    if len(arguments) != 2 or arguments[0] not in TO_TRY:
        print(USAGE, file=sys.stderr)
        return 2
    return run_until_stopped(arguments[0], Path(arguments[1]).resolve())


def build_all() -> int:
    """Build what is missing; what cannot be built here is skipped by tests."""
    failures = 0
    for recipe in ALL:
        start = time.monotonic()
        if not recipe.folder.is_dir():
            print(f"building {recipe.name}; it takes minutes, once", flush=True)
        try:
            folder = recipe.build()
        except Unavailable as error:
            print(f"{recipe.name} is left out: {error}", flush=True)
        except BuildFailed as error:
            print(f"{recipe.name} FAILED: {error}", flush=True)
            failures += 1
        else:
            seconds = time.monotonic() - start
            print(f"{recipe.name} lies in {folder} ({seconds:.1f} s)", flush=True)
    return int(failures > 0)


def run_until_stopped(name: str, folder: Path) -> int:
    """Run the server called *name* until SIGINT or SIGTERM."""
    variable, make = TO_TRY[name]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        server = make(folder)
    except Unavailable as error:
        print(f"{name} is not there: {error}", file=sys.stderr)
        return 1
    try:
        server.start()
        print(f"export {variable}='{server.url}'", flush=True)
        print("Ctrl-C stops it.", flush=True)
        while server.is_running:
            time.sleep(0.5)
    except ServerFailed as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        server.stop()
    print("the server has ended; its log is in the folder", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
