"""
The house in figures: how large its rooms are, and how hard they are to enter.

    python -m benchmarks.house            this checkout
    python -m benchmarks.house FOLDER     another one, such as that of a year ago

What is counted stands beside each figure. Nothing is imported or run.
"""

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOMS = (
    "cli",
    "webapp",
    "tasks",
    "readmodels",
    "domain",
    "eventstore",
    "embedded",
    "alembic",
    "benchmarks",
    "tests",
)
CODE = ROOMS[:7]
MAX_LINES = 300
MAX_PARAMETERS = 5
PARTICIPLES = re.compile(
    r"(?!Token)[A-Z][a-z]*(?:ed|en)|Drawn|Found|Held|Kept|Known|Sent|Told"
)
"""Names of one word that say of something what was done to it, and not what it is."""
BOUNDS = re.compile(r"(?:MOST|LONGEST|HIGHEST|FARTHEST|LARGEST|SLOWEST)(?:_[A-Z_]+)?")
ENTRY = re.compile(r"^(?:-|\d+\.) \[`([^`]+)`\]", re.MULTILINE)
OF_THE_STORY = re.compile(r"^\d+\. \[`([^`]+)`\]", re.MULTILINE)
FILE_OF_A_GUIDE = re.compile(r"^## \d+\. .*`([\w/]+\.\w+)`$", re.MULTILINE)


def main(folder: Path) -> None:
    print("room          files    lines   of SQL")
    for room in ROOMS:
        files = sorted(files_of(folder, room))
        lines = sum(map(lines_of, files))
        sql = sum(lines_of(file) for file in files if file.suffix == ".sql")
        print(f"{room:12} {len(files):6,} {lines:8,} {sql:8,}")
    print()
    for name, value in figures(folder):
        print(f"{value:6,}  {name}")


def figures(folder: Path) -> Iterator[tuple[str, int]]:
    """Yield what each figure counts, and the figure."""
    code = [file for room in CODE for file in files_of(folder, room)]
    python = [file for file in code if file.suffix == ".py"]
    trees = [ast.parse(file.read_text()) for file in python]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
    classes = [node.name for node in nodes if isinstance(node, ast.ClassDef)]
    yield (
        f"files with more than {MAX_LINES} lines",
        sum(lines_of(file) > MAX_LINES for file in code),
    )
    yield (
        f"functions with more than {MAX_PARAMETERS} parameters",
        sum(count_parameters(function) > MAX_PARAMETERS for function in functions),
    )
    yield "`Any` in signatures", sum(map(count_any, functions))
    yield (
        "classes called by a bare participle",
        sum(bool(PARTICIPLES.fullmatch(name)) for name in classes),
    )
    yield (
        "bounds that are not called MAX_ or MIN_",
        len({name for node in nodes for name in bounds_in(node)}),
    )
    walkthrough = folder / "docs" / "walkthrough.md"
    yield (
        "files that a POST enters, by the walkthrough",
        len(set(ENTRY.findall(walkthrough.read_text()))),
    )
    yield (
        "of these, files that tell its story",
        len(set(OF_THE_STORY.findall(walkthrough.read_text()))),
    )
    guide = folder / "docs" / "adding-a-command.md"
    if guide.exists():
        yield (
            "files that adding a command touches, by its guide",
            len(set(FILE_OF_A_GUIDE.findall(guide.read_text()))),
        )
    yield "pairs of rooms in eventstore that import each other", len(circles(folder))


def files_of(folder: Path, room: str) -> Iterator[Path]:
    for file in (folder / room).rglob("*"):
        if file.suffix in (".py", ".sql") and "__pycache__" not in file.parts:
            yield file


def lines_of(file: Path) -> int:
    return len(file.read_text().splitlines())


def count_parameters(function: ast.FunctionDef) -> int:
    given = function.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    return len([one for one in named if one.arg not in ("self", "cls")])


def count_any(function: ast.FunctionDef) -> int:
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    annotations = [one.annotation for one in named] + [function.returns]
    return sum(
        isinstance(node, ast.Name) and node.id == "Any"
        for annotation in annotations
        if annotation is not None
        for node in ast.walk(annotation)
    )


def bounds_in(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store()) if BOUNDS.fullmatch(name):
            yield name


def circles(folder: Path) -> set[frozenset[str]]:
    """Return the pairs of folders in the engine that import each other."""
    imports: Counter[tuple[str, str]] = Counter()
    for file in files_of(folder, "eventstore"):
        room = file.relative_to(folder / "eventstore").parts[0]
        if file.suffix != ".py" or room.endswith(".py"):
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                parts = node.module.split(".")
                if parts[0] == "eventstore" and len(parts) > 1 and parts[1] != room:
                    imports[room, parts[1]] += 1
    return {frozenset(pair) for pair in imports if (pair[1], pair[0]) in imports}


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1])
