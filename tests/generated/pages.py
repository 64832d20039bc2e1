"""The tables in the pages that say what the code says: commands, events and rules."""

import inspect
import re
from collections.abc import Iterable, Iterator
from dataclasses import MISSING, Field, fields
from itertools import chain
from typing import Any

from domain.errors import Rejection
from tasks.shop.deciders import ALL as DECIDERS
from tasks.shop.permissions import COMMANDS, MEANINGS, ROLES, roles_with
from tests.generated import touched
from tests.support.databases import ROOT
from webapp.authorization import OWN
from webapp.login.page_permissions import ANYBODY, pages_of_forms
from webapp.login.page_permissions import PAGES as PAGES_OF_WEB

FILLED_IN = ("currency",)
"""What the web puts into a command that comes without it."""

BLOCK = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
PAGES = sorted((ROOT / "docs").glob("*.md"))


def filled(text: str) -> str:
    """Return the text of a page with its generated blocks as they are today."""
    return BLOCK.sub(
        lambda found: f"{found[1]}\n{TABLES[found[2]]()}\n{found[3]}", text
    )


def table(heading: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [heading, ["---" for _ in heading], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def commands() -> str:
    """Return a row for each command that a client may send, and who may send it."""
    return table(
        [
            "Type",
            "Its data; what stands in brackets may be left out",
            "What it does",
            "Wants",
        ],
        (
            [f"`{kind.__name__}`", data_of(kind), meaning(kind), wanted_by(kind)]
            for decider in DECIDERS
            for kind in decider.commands
            if kind not in decider.internal
        ),
    )


def data_of(command: type[Any]) -> str:
    names = sorted(fields(command), key=may_be_missing)
    return ", ".join(
        f"(`{f.name}`)" if may_be_missing(f) else f"`{f.name}`" for f in names
    )


def may_be_missing(field: Field[Any]) -> bool:
    return field.default is not MISSING or field.name in FILLED_IN


def wanted_by(command: type) -> str:
    permission = COMMANDS.get(command.__name__)
    if permission is None:
        return "refused to all users"
    roles = [r for r in ROLES if r != "admin" and permission in ROLES[r]]
    return f"`{permission}`{''.join(f', `{role}`' for role in roles)}"


def words(heading: str, classes: Iterable[type]) -> str:
    """Return a row for each of *classes*, as the glossary has its words."""
    return table(
        [heading, "Meaning", "Lives in"],
        (
            [f"`{kind.__name__}`", meaning(kind), f"`{file_of(kind)}`"]
            for kind in classes
        ),
    )


def command_words() -> str:
    return words("Command", chain.from_iterable(d.commands for d in DECIDERS))


def event_words() -> str:
    return words("Event", chain.from_iterable(d.events.classes for d in DECIDERS))


def rejection_words() -> str:
    return words("Rejection", sorted(rules(Rejection), key=file_of))


def rules(root: type[Any]) -> Iterator[type]:
    """Yield the rules of the domain, with the sentence that people read."""
    for kind in root.__subclasses__():
        if not kind.__subclasses__() and kind.__module__.startswith("domain."):
            yield kind
        yield from rules(kind)


def meaning(kind: type) -> str:
    """Return the first paragraph of the docstring of *kind*, on one line."""
    text = inspect.getdoc(kind) or ""
    # A dataclass without one has its signature there.
    text = "" if text.startswith(f"{kind.__name__}(") else text
    return " ".join(text.partition("\n\n")[0].split())


def file_of(kind: type) -> str:
    return f"{kind.__module__.replace('.', '/')}.py"


def touched_files() -> str:
    """Return a row for each command of a shop's day, with the files that it is in."""
    return table(["Command", *touched.ROOMS], touched.counts())


def roles() -> str:
    """Return a row for each permission, with the roles that have it."""
    return table(
        ["Permission", "Who has it may", *(f"`{role}`" for role in ROLES)],
        (
            [f"`{permission}`", meaning, *(mark(permission, role) for role in ROLES)]
            for permission, meaning in MEANINGS.items()
        ),
    )


def mark(permission: str, role: str) -> str:
    return "yes" if permission in ROLES[role] else ""


def page_rights() -> str:
    """Return a row for each permission, with the pages that want it and the roles."""
    of_forms = dict(pages_of_forms())
    endpoints: dict[str, list[str]] = {}
    for endpoint, wanted in PAGES_OF_WEB.items():
        if endpoint not in of_forms:
            endpoints.setdefault(wanted, []).append(f"`{endpoint}`")
    rows = [
        [", ".join(endpoints[wanted]), wanted, "anybody"] for wanted in (ANYBODY, OWN)
    ]
    rows += [
        [", ".join(endpoints[one]), f"`{one}`", ", ".join(map(code, roles_with(one)))]
        for one in MEANINGS
        if one in endpoints
    ]
    return table(["Pages", "Want", "Roles"], rows)


def code(word: str) -> str:
    return f"`{word}`"


TABLES = {
    "roles": roles,
    "pages": page_rights,
    "commands": commands,
    "command_words": command_words,
    "event_words": event_words,
    "rejection_words": rejection_words,
    "touched_files": touched_files,
}
