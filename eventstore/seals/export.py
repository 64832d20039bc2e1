"""Seals as lines of JSON, to be kept where the log's owner cannot reach them."""

import os
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from uuid import UUID

import msgspec

from eventstore.errors import UnreadableExport
from eventstore.seals.seals import Origin, Seal

FORM = "recount seal 1"


class ExportedSeal(msgspec.Struct, frozen=True, kw_only=True):
    """
    A seal as it was exported, with the id of the log that it is of.

    *form* is the text `recount seal 1`. *number* and *count* are numbers, *after* and
    *up_to* positions, as in `Seal`. *previous* and *hash* are hexadecimal.
    """

    form: str
    log: UUID
    number: int
    after: int
    up_to: int
    count: int
    previous: str
    sealed_at: datetime
    hash: str

    def __str__(self) -> str:
        return f"seal {self.number}, exported with position {self.up_to}"


def export_lines(origin: Origin, seals: Iterable[Seal]) -> str:
    """Return the text of seals: a line of JSON for each."""
    lines = []
    for seal in seals:
        known = ExportedSeal(
            form=FORM,
            log=origin.log,
            number=seal.number,
            after=seal.after,
            up_to=seal.up_to,
            count=seal.count,
            previous=seal.previous.hex(),
            sealed_at=seal.sealed_at,
            hash=seal.hash.hex(),
        )
        lines.append(msgspec.json.encode(known).decode() + "\n")
    return "".join(lines)


def read_export(path: Path) -> list[ExportedSeal]:
    """
    Return the seals of a file, or of all `.jsonl` files of a folder, by number.

    Raises UnreadableExport for a file that has none or something else.
    """
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    seals = [seal for file in files for seal in read_lines(file)]
    if not seals:
        raise UnreadableExport(str(path), "it has no seals")
    return sorted(seals, key=lambda seal: seal.number)


def read_lines(path: Path) -> Sequence[ExportedSeal]:
    try:
        lines = path.read_bytes().splitlines()
        seals = [msgspec.json.decode(line, type=ExportedSeal) for line in lines]
    except OSError as error:
        raise UnreadableExport(str(path), error.strerror or "unreadable") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UnreadableExport(str(path), str(error)) from error
    if any(seal.form != FORM for seal in seals):
        raise UnreadableExport(str(path), "it has seals of another form")
    return seals


def write_export(path: Path, lines: str) -> None:
    """Write a file all or nothing: what was kept before stays until the new one is."""
    with NamedTemporaryFile(
        "w", dir=path.parent, prefix=f".{path.name}.", delete=False, encoding="utf-8"
    ) as file:
        try:
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
