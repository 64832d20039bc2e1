"""`python -m tests.stores.servers`: build what is missing, with a line for each."""

import sys
import time

from tests.stores.servers.building import BuildFailed, Unavailable
from tests.stores.servers.programs import ALL


def main() -> int:
    """Return 1 where a build failed; what cannot be built here is skipped by tests."""
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


if __name__ == "__main__":
    sys.exit(main())
