"""Searching the files of a server for words, as `grep -raiF` does."""

from collections.abc import Iterator, Sequence
from pathlib import Path


def files_with(folders: Sequence[Path], words: Sequence[str]) -> dict[str, set[Path]]:
    """
    Return for each word the files below *folders* that have it, in capitals or not.

    Files that vanish meanwhile are passed over.
    """
    wanted = {word: word.lower().encode() for word in words}
    found: dict[str, set[Path]] = {word: set() for word in words}
    for path in files_below(folders):
        try:
            content = path.read_bytes().lower()
        except FileNotFoundError:
            continue
        for word, text in wanted.items():
            if text in content:
                found[word].add(path)
    return found


def files_below(folders: Sequence[Path]) -> Iterator[Path]:
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink():
                yield path


def count_files(found: dict[str, set[Path]]) -> int:
    """Return in how many files any of the words is."""
    return len(set().union(*found.values()))
