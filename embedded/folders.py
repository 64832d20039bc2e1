"""The folders: data in `.local/`, sockets in a short folder of our own."""

import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from embedded.errors import FolderOfAnother

ROOT = Path(__file__).resolve().parents[1]

SHORT = Path("/tmp")
"""
Where the sockets' folder is made, since a Unix socket's path has at most 107 bytes.

Not XDG_RUNTIME_DIR: it vanishes when its user logs out, under an `up` in tmux too.
"""


@dataclass(frozen=True, slots=True)
class Folders:
    """The folders of one `up` or one `test`."""

    state: Path

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def redis(self) -> Path:
        return self.state / "redis"

    @property
    def postgres(self) -> Path:
        return self.state / "postgres"

    @property
    def record(self) -> Path:
        return self.state / "up.json"

    @property
    def migrated(self) -> Path:
        """What the database was last migrated for, hashed."""
        return self.state / "migrated"

    @property
    def shop(self) -> Path:
        """What the shop was made with, so that a later `up` need not be given it."""
        return self.state / "shop.json"

    @property
    def lock(self) -> Path:
        return self.state / "up.lock"

    @property
    def secret_key(self) -> Path:
        return self.state / "secret_key"

    @property
    def master_key(self) -> Path:
        return self.state / "master_key"

    @property
    def sockets(self) -> Path:
        return SHORT / f"recount-{os.geteuid()}-{self.digest}"

    @property
    def elsewhere(self) -> Path:
        """The data folder if we are root: `nobody` cannot reach those below /root."""
        return Path("/var/lib") / f"recount-{self.digest}"

    @property
    def digest(self) -> str:
        return hashlib.sha256(os.fsencode(self.state)).hexdigest()[:12]

    def make(self) -> None:
        """
        Make the missing folders, private to their owner; call it under the lock.

        Raises FolderOfAnother where another user was faster.
        """
        make_private(self.state)
        make_private(self.sockets)
        make_private(self.logs)
        make_private(self.redis)

    def ensure_sockets(self) -> None:
        """Make the sockets' folder again where a cleaner of /tmp has removed it."""
        if not self.sockets.exists():
            make_private(self.sockets)

    def forget_sockets(self) -> None:
        """Remove the sockets' folder once the servers that used it have ended."""
        shutil.rmtree(self.sockets, ignore_errors=True)


def folders_from(environment: Mapping[str, str]) -> Folders:
    return Folders((ROOT / (environment.get("STATE_DIR") or ".local")).resolve())


def make_private(folder: Path) -> None:
    """Make *folder* for us alone, or see that it is a folder and ours."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Any user may make a folder, or a link, with this name in /tmp before we do.
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        raise FolderOfAnother(f"{folder} belongs to another user; remove it first")
    folder.chmod(0o700)
