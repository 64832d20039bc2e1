"""The user that PostgreSQL runs as: it refuses root, so root needs another one."""

import grp
import hashlib
import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict


class Credentials(TypedDict, total=False):
    """What subprocess takes to run something as another user."""

    user: int
    group: int
    extra_groups: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A way to run a command as a user that PostgreSQL accepts."""

    name: str
    prefix: tuple[str, ...] = ()
    user: int | None = None
    group: int | None = None

    @property
    def credentials(self) -> Credentials:
        if self.user is None or self.group is None:
            return {}
        return {"user": self.user, "group": self.group, "extra_groups": []}

    def can_run(self, *command: str | os.PathLike[str]) -> bool:
        whole = [*self.prefix, *command]
        if shutil.which(whole[0]) is None:
            return False
        try:
            done = subprocess.run(
                whole,
                cwd="/",
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                **self.credentials,
            )
        except PermissionError:
            return False
        return done.returncode == 0

    def can_enter(self, folder: Path) -> bool:
        return self.can_run("test", "-x", folder)


SAME_USER = Identity(name="the same user")

USER_NAMESPACE = Identity(
    name="root in a user namespace of its own",
    prefix=("unshare", "--user", "--map-user=65534", "--map-group=65534"),
)
"""It has root's rights to files, but another user id; other users have no access."""

FIRST_GROUP, GROUPS = 65000, 500
"""Debian's policy gives this range to nobody, and containers still map it."""


def nobody(state: Path) -> Identity:
    """
    Return `nobody` with a group that no other process of `nobody` has.

    Folders are opened to that group alone, so that other services running as
    `nobody` reach neither the data nor the socket.
    """
    digest = hashlib.sha256(os.fsencode(state)).digest()
    group = FIRST_GROUP + int.from_bytes(digest[:4], "big") % GROUPS
    while is_taken(group):
        group += 1
    return Identity(name="nobody", user=pwd.getpwnam("nobody").pw_uid, group=group)


def is_taken(group: int) -> bool:
    try:
        grp.getgrgid(group)
    except KeyError:
        return False
    return True
