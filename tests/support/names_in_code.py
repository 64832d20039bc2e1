"""The names that a file of the project has, for the pages that name them."""

import ast
import re
from collections.abc import Iterator
from functools import cache

from tests.support.databases import ROOT

SQL_FUNCTION = re.compile(
    r"CREATE (?:OR REPLACE )?(?:FUNCTION|PROCEDURE|VIEW) \w+\.(\w+)(?:\(| AS)",
    re.IGNORECASE,
)


@cache
def names_defined(path: str) -> frozenset[str]:
    """
    Return what the file *path*, from the root, defines at its top level.

    Of Python these are functions, classes and variables, of SQL functions and views. It
    is empty where there is no such file.
    """
    code = code_of(path)
    if path.endswith(".sql"):
        return frozenset(SQL_FUNCTION.findall(code))
    return frozenset(
        name
        for statement in ast.parse(code).body
        for node in [statement, *targets_of(statement)]
        for name in names_of(node)
    )


@cache
def names_within(path: str) -> frozenset[str]:
    """
    Return what the file *path* defines anywhere, from the root.

    Besides what `names_defined` returns these are parameters, attributes and fields,
    and texts: a column, a setting or a header is one. What is only imported, used or
    told in a comment or docstring is not in it. Of SQL it is every word of the code.
    """
    code = code_of(path)
    if path.endswith(".sql"):
        return frozenset(re.findall(r"\w+", re.sub("--.*", "", code)))
    tree = ast.parse(code)
    docstrings = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)
    }
    return frozenset(
        name
        for node in ast.walk(tree)
        if id(node) not in docstrings
        for name in names_of(node)
    )


def code_of(path: str) -> str:
    return (ROOT / path).read_text() if (ROOT / path).is_file() else ""


def targets_of(statement: ast.stmt) -> Iterator[ast.AST]:
    """Yield the names that a statement of a module assigns to."""
    match statement:
        case ast.Assign(targets=targets):
            for target in targets:
                yield from ast.walk(target)
        case ast.AnnAssign(target=target):
            yield target
        case _:
            return


def names_of(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.AsyncFunctionDef(name=name):
            yield name
        case ast.Name(id=name, ctx=ast.Store()):
            yield name
        case ast.Attribute(attr=name, ctx=ast.Store()):
            yield name
        case ast.arg(arg=name):
            yield name
        case ast.Constant(value=str(text)):
            yield text
        case _:
            return
