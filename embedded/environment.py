"""The variables that every process of an `up` or a `test` is started with."""

import base64
import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from embedded.folders import ROOT, Folders

MARK = "RECOUNT_SUPERVISED"
"""Holds the data folder; by it the next `up` knows what a killed one left behind."""


def variables_given() -> dict[str, str]:
    """Return the caller's environment, over what `.env` sets; empty is unset."""
    from_file = dotenv_values(ROOT / ".env")
    merged = {**from_file, **os.environ}
    merged.pop("RECOUNT_STARTED", None)
    return {name: value for name, value in merged.items() if value}


def for_children(environment: Mapping[str, str], folders: Folders) -> dict[str, str]:
    """Return *environment* with what children need to find their way."""
    scripts = os.fspath(Path(sys.executable).parent)
    secret_key = environment.get("SECRET_KEY") or kept_secret_key(folders)
    return {
        **environment,
        "PATH": os.pathsep.join([scripts, environment.get("PATH", os.defpath)]),
        "PYTHONUNBUFFERED": "1",
        "STATE_DIR": os.fspath(folders.state),
        "SECRET_KEY": secret_key,
        "MASTER_KEY": environment.get("MASTER_KEY") or kept_master_key(folders),
        MARK: os.fspath(folders.state),
    }


def kept_secret_key(folders: Folders) -> str:
    """Return this data folder's own key, made once; sessions outlive a restart."""
    return keep_secret(folders.secret_key, secrets.token_urlsafe(48))


def kept_master_key(folders: Folders) -> str:
    """Return the key to this data folder's personal data: lost, it loses them."""
    new = base64.b64encode(secrets.token_bytes(32)).decode()
    return keep_secret(folders.master_key, new)


def keep_secret(path: Path, new: str) -> str:
    """Return the secret in a file that its owner alone may read; at first *new*."""
    if not path.exists():
        partial = path.with_suffix(".new")
        partial.touch(mode=0o600)
        partial.write_text(new)
        partial.replace(path)
    return path.read_text()


def for_servers(environment: Mapping[str, str]) -> dict[str, str]:
    """Return only the variables that a server needs, without secrets."""
    needed = ("PATH", "HOME", "LD_LIBRARY_PATH", MARK)
    needed_here = {name: environment[name] for name in needed if name in environment}
    return {**needed_here, "TZ": "UTC", "LC_ALL": "C.UTF-8"}


def without_postgres_defaults(environment: Mapping[str, str]) -> dict[str, str]:
    """Drop PGHOST and similar variables, which would redirect from our own server."""
    return {
        name: value for name, value in environment.items() if not name.startswith("PG")
    }
