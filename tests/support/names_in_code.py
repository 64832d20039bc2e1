"""The names that a file of the project has, for the pages that name them."""

import ast
import re
from functools import cache
from typing import TypeGuard

from tests.support.databases import ROOT

SQL_FUNCTION = re.compile(
    r"CREATE OR REPLACE (?:FUNCTION|PROCEDURE) public\.(\w+)\(", re.IGNORECASE
)


@cache
def names_defined(path: str) -> frozenset[str]:
    """
    Return what the file *path*, from the root, defines at its top level.

    Of Python these are functions, classes and variables, of SQL functions. It is empty
    where there is no such file.
    """
    if not (ROOT / path).is_file():
        return frozenset()
    code = (ROOT / path).read_text()
    if path.endswith(".sql"):
        return frozenset(SQL_FUNCTION.findall(code))
    return frozenset(name for node in ast.parse(code).body for name in names_of(node))


def names_of(node: ast.stmt) -> list[str]:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return [node.name]
        case ast.Assign():
            return [n.id for t in node.targets for n in ast.walk(t) if is_name(n)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case _:
            return []


def is_name(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name)
