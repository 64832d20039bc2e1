"""The folders of PostgreSQL's programs and data, and the user that can read them."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from embedded.binaries import postgres_binaries
from embedded.errors import BinariesMissing, DataInTwoPlaces
from embedded.folders import Folders
from embedded.identity import SAME_USER, USER_NAMESPACE, Identity, nobody

FORCE = "POSTGRES_AS_ROOT"
"""The variable, `userns` or `nobody`, for how PostgreSQL runs if we are root."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresHome:
    """The programs, the data folder, and the user that runs the server."""

    binaries: Path
    data: Path
    identity: Identity

    def open_sockets(self, folders: Folders) -> None:
        """Let the one who runs the server make its socket."""
        if self.identity.group is not None:
            open_to_group(folders.sockets, self.identity, 0o730)

    def give(self, folder: Path) -> None:
        """Make *folder* and all that is in it belong to the one who runs the server."""
        user = self.identity.user or os.geteuid()
        group = self.identity.group or os.getegid()
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, user, group, follow_symlinks=False)


def find_home(folders: Folders, environment: Mapping[str, str]) -> PostgresHome:
    """
    Return where the server can run; called with the data folder made and locked.

    Raises BinariesMissing and DataInTwoPlaces.
    """
    binaries = postgres_binaries(environment)
    home = PostgresHome(
        binaries=binaries,
        data=folders.postgres,
        identity=SAME_USER,
    )
    if os.geteuid() != 0:
        return home
    forced = environment.get(FORCE)
    can_namespace = USER_NAMESPACE.can_run(binaries / "postgres", "--version")
    can_namespace = can_namespace and USER_NAMESPACE.can_enter(folders.state)
    if forced == "userns" or (forced != "nobody" and can_namespace):
        home = PostgresHome(
            binaries=binaries, data=folders.postgres, identity=USER_NAMESPACE
        )
    else:
        home = home_of_nobody(folders, binaries)
    bring_data(home, folders)
    return home


def home_of_nobody(folders: Folders, binaries: Path) -> PostgresHome:
    """
    Return a home that `nobody` reaches: here, or beside the system's own data.

    No folder above the checkout is opened for it, as /root should stay closed.
    """
    identity = nobody(folders.state)
    open_to_group(folders.state, identity, 0o710)
    base = folders.state
    if not identity.can_enter(base):
        base = folders.elsewhere
        base.mkdir(exist_ok=True)
        open_to_group(base, identity, 0o710)
    if not identity.can_run(binaries / "postgres", "--version"):
        binaries = copy_binaries(binaries, base, identity)
    return PostgresHome(binaries=binaries, data=base / "postgres", identity=identity)


def open_to_group(folder: Path, identity: Identity, mode: int) -> None:
    os.chown(folder, 0, identity.group or 0)
    folder.chmod(mode)


def copy_binaries(binaries: Path, base: Path, identity: Identity) -> Path:
    """Copy the wheel's programs, with the libraries that lie beside the package."""
    install = binaries.parent
    package = install.parent
    copy = base / "programs"
    partial = base / "programs.new"
    for old in (copy, partial):
        shutil.rmtree(old, ignore_errors=True)
    if install.name != "pginstall":
        raise BinariesMissing(f"the user nobody cannot run {binaries}/postgres")
    libraries = package.with_name(f"{package.name}.libs")
    for folder in filter(Path.is_dir, (package, libraries)):
        shutil.copytree(folder, partial / folder.name, symlinks=True)
    for path in [partial, *partial.rglob("*")]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | 0o055)
    partial.rename(copy)
    return copy / package.name / install.name / binaries.name


def bring_data(home: PostgresHome, folders: Folders) -> None:
    """
    Move the cluster to where this run needs it, and give it to its new owner.

    A setting of the kernel decides how root can run PostgreSQL; if it changes, the data
    must be found again. Raises DataInTwoPlaces if a move was interrupted.
    """
    places = [folders.postgres, folders.elsewhere / "postgres"]
    found = [place for place in places if place.exists()]
    if len(found) > 1:
        both = f"{found[0]} and {found[1]}"
        raise DataInTwoPlaces(f"both {both} hold a database: remove the wrong one")
    if not found:
        return
    if found[0] != home.data:
        partial = home.data.with_name("postgres.moving")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(found[0], partial, symlinks=True)
        partial.rename(home.data)
        shutil.rmtree(found[0])
    if home.data.stat().st_uid != (home.identity.user or os.geteuid()):
        home.give(home.data)
