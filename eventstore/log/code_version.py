"""
The version of the code that makes a state: a hash of its modules' syntax trees.

Comments, layout and docstrings do not count, and all else does: so a corrected `evolve`
has another hash, without a version raised by hand. Imports by computed names, and
modules outside of the top packages, are not seen.
"""

import ast
import functools
import hashlib
import importlib.util
import logging
import sys
import time
import tokenize
from collections.abc import Callable, Collection, Iterable, Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any, NamedTuple

log = logging.getLogger(__name__)

LOADED_AT = time.time()
"""About when this process loaded its code: it does not run files changed later."""


IGNORED = ("ctx", "kind", "type_comment")


class NoSource(Exception):
    """The source of a module is missing, or is not what this process runs."""


class Module(NamedTuple):
    """The hash of a module's syntax tree, and the modules of its package in it."""

    hash: str
    imports: tuple[str, ...]


def code_version(
    parts: Iterable[Any], packages: frozenset[str] | None = None
) -> str | None:
    """
    Return the hash of the code of *parts*, functions and classes, and what they import.

    *packages* are the names of the top packages inside of which imports are followed;
    None: each module's own.
    None, with a warning in the log, if a source is not available: then the caller must
    store nothing that only this code may read.
    """
    names = sorted({name for part in parts for name in modules_of(part)})
    try:
        hashes = {
            name: module(name, packages).hash
            for name in reachable_modules(names, packages)
        }
    except NoSource as error:
        log.warning("code without a version: %s", error)
        return None
    return hashlib.sha256(repr(sorted(hashes.items())).encode()).hexdigest()


def modules_of(part: Any) -> Iterator[str]:
    """Yield the modules of a function or a class, also of a wrapped one."""
    if isinstance(part, functools.partial):
        for inner in (part.func, *part.args, *part.keywords.values()):
            if callable(inner):
                yield from modules_of(inner)
        return
    yield getattr(part, "__module__", None) or type(part).__module__
    wrapped = getattr(part, "__wrapped__", None)
    if wrapped is not None:
        yield from modules_of(wrapped)


def reachable_modules(
    names: Iterable[str], packages: frozenset[str] | None = None
) -> set[str]:
    """Return *names* and all modules that they import, directly or indirectly."""
    found: set[str] = set()
    waiting = [name for name in names if not is_pythons_own(name)]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += module(name, packages).imports
    return found


def is_pythons_own(name: str) -> bool:
    return name.partition(".")[0] in sys.stdlib_module_names and name != "__main__"


@functools.cache
def module(name: str, packages: frozenset[str] | None = None) -> Module:
    """
    Return the parsed source of a module. Raises NoSource.

    *packages* are the top packages whose modules are among its imports; None: its own.
    """
    source, is_package = source_of(name)
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise NoSource(f"the source of {name} is not what runs here") from error
    package = name if is_package else name.rpartition(".")[0]
    imports = {
        found
        for target in targets_of(tree, package)
        for found in modules_at(target, packages or {name.partition(".")[0]})
    }
    digest = hashlib.sha256()
    write(tree, digest.update)
    return Module(digest.hexdigest(), tuple(sorted(imports - {name})))


def source_of(name: str) -> tuple[str, bool]:
    """Return the source of a module, and whether it is a package. Raises NoSource."""
    spec = spec_of(name)
    if spec.origin is None and spec.submodule_search_locations is not None:
        # A namespace package: it has no source, only its modules have.
        return "", True
    get_source = getattr(spec.loader, "get_source", read_file_of(spec))
    try:
        source = get_source(spec.name)
    except (ImportError, OSError, SyntaxError, UnicodeDecodeError):
        source = None
    if source is None:
        raise NoSource(f"the source of {name} is not available")
    if find_changed_at(spec) > LOADED_AT:
        raise NoSource(f"the source of {name} was changed since it was loaded: restart")
    return source, spec.submodule_search_locations is not None


def read_file_of(spec: ModuleSpec) -> Callable[[str], str | None]:
    """Return a loader that reads the source if the module's own cannot."""

    def read(_: str) -> str | None:
        if spec.origin is None or not spec.origin.endswith(".py"):
            return None
        with tokenize.open(spec.origin) as file:
            return file.read()

    return read


def spec_of(name: str) -> ModuleSpec:
    loaded = sys.modules.get(name)
    spec = getattr(loaded, "__spec__", None)
    path = getattr(loaded, "__file__", None)
    if spec is None and path is not None:
        # A script that was started by its path.
        spec = importlib.util.spec_from_file_location(name, path)
    if spec is None:
        try:
            spec = importlib.util.find_spec(name)
        except (ImportError, ValueError):
            spec = None
    if spec is None:
        raise NoSource(f"there is no module {name} in a file")
    return spec


def find_changed_at(spec: ModuleSpec) -> float:
    """Return when the file of a module changed last; its own times may be copied."""
    archive = getattr(spec.loader, "archive", None)
    try:
        status = Path(archive or spec.origin or "").stat()
    except OSError:
        return 0.0
    return max(status.st_mtime, status.st_ctime)


def targets_of(tree: ast.AST, package: str) -> Iterator[str]:
    """Yield the names that are imported anywhere in *tree*, in full."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package.split(".")
                above = ".".join(parts[: len(parts) - node.level + 1])
                base = f"{above}.{base}" if base else above
            # A name imported from a package may be a module.
            yield from (base, *(f"{base}.{alias.name}" for alias in node.names))


def modules_at(target: str, packages: Collection[str]) -> Iterator[str]:
    """Yield the modules of the top *packages* that importing *target* runs."""
    parts = target.split(".")
    if parts[0] not in packages:
        return
    for length in range(1, len(parts) + 1):
        name = ".".join(parts[:length])
        if name not in sys.modules:
            try:
                if importlib.util.find_spec(name) is None:
                    return
            except (ImportError, ValueError):
                return
        yield name


def write(node: Any, tell: Callable[[bytes], object]) -> None:
    """
    Pass a syntax tree to *tell* piece by piece, without docstrings and line numbers.

    Empty fields are left out: they differ between versions of Python.
    """
    if isinstance(node, list):
        for part in node:
            write(part, tell)
        return
    if not isinstance(node, ast.AST):
        tell(f"{type(node).__name__} {node!r};".encode(errors="backslashreplace"))
        return
    tell(f"{type(node).__name__}(".encode())
    for name, value in ast.iter_fields(node):
        is_constant = isinstance(node, ast.Constant) and name == "value"
        is_empty = value is None or value == []
        if name in IGNORED or (is_empty and not is_constant):
            continue
        if name == "body" and has_docstring(node):
            value = value[1:]
        tell(f"{name}=".encode())
        write(value, tell)
    tell(b")")


def has_docstring(node: ast.AST) -> bool:
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    if not isinstance(node, documented) or not node.body:
        return False
    first = node.body[0]
    return (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    )
