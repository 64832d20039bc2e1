"""Merge what was typed into a form with what another user has changed meanwhile."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from domain.errors import Fault
from webapp.forms.form import Form
from webapp.forms.labels import label
from webapp.forms.values import FormValues

Line = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """
    A field that two have changed, as texts.

    *before* is what both saw, *theirs* what is there now, *mine* what was typed. The
    *problem* is told at the field, if it is not just another value.
    """

    field: str
    before: str
    theirs: str
    mine: str
    problem: str = ""

    @property
    def label(self) -> str:
        return label(self.field)

    @property
    def fault(self) -> Fault:
        changed = f"was changed meanwhile to {quote(self.theirs)}"
        return Fault(self.field, self.problem or changed)


class ThreeValues(NamedTuple):
    """The values of a form: as its sender has *seen* them, *now*, and as typed."""

    seen: FormValues
    now: FormValues
    mine: FormValues


def merge(form: Form, values: ThreeValues) -> tuple[FormValues, list[Meeting]]:
    """
    Return what was typed with the changes of others, and where the two meet.

    A field that the sender changed keeps the typed value; any other has its present
    one. Fields that are one thing, such as an address, are merged as a whole.
    """
    seen, now, mine = (one.fields for one in values)
    fields, met = dict(now), []
    for unit in units_of(form):
        if all(mine[name] in (seen[name], now[name]) for name in unit):
            # The sender changed nothing here.
            continue
        is_met = any(now[name] not in (seen[name], mine[name]) for name in unit)
        for name in unit:
            fields[name] = mine[name]
            if is_met and mine[name] != now[name]:
                met.append(
                    Meeting(
                        field=name,
                        before=seen[name],
                        theirs=now[name],
                        mine=mine[name],
                    )
                )
    if "line" not in form.line_fields:
        return FormValues(fields, values.mine.lines), met
    lines, lines_met = merge_lines(form, values)
    return FormValues(fields, lines), [*met, *lines_met]


def units_of(form: Form) -> list[list[str]]:
    """Return the groups of fields that are merged as a whole, such as an address."""
    units: dict[str, list[str]] = {}
    for name in form.fields:
        units.setdefault(name.partition(".")[0], []).append(name)
    return list(units.values())


def merge_lines(form: Form, values: ThreeValues) -> tuple[list[Line], list[Meeting]]:
    """
    Return the lines with the changes of both, by the numbers that an order gives them.

    One that either has removed is removed, unless the other has changed it: then it is
    as its sender has it, and told. Lines that are new stand at the end.
    """
    seen, now, mine = (by_number(one.lines) for one in values)
    lines: list[Line] = []
    met: list[Meeting] = []
    for number in [*now, *(one for one in mine if one not in now)]:
        before, theirs, own = seen.get(number), now.get(number), mine.get(number)
        path = f"{form.lines_in}.{len(lines)}"
        if own is not None and theirs is not None:
            lines.append(merge_line(before or theirs, theirs, own))
            met += meetings_of(path, before or theirs, theirs, own)
        elif theirs is not None and before is None:
            lines.append(theirs)
        elif theirs is not None and before is not None and differs(before, theirs):
            met.append(removed_by_sender(form, before, theirs))
        elif own is not None and before is not None and differs(before, own):
            # The order has no such line any more, so it is typed as a new one.
            product = before.get("product", "")
            anew = {**own, "product": product, "line": "", "own": "on"}
            lines.append(anew)
            met.append(removed_by_others(path, before, anew))
    return [*lines, *(one for one in values.mine.lines if not one.get("line"))], met


def removed_by_sender(form: Form, before: Line, theirs: Line) -> Meeting:
    return Meeting(
        field=form.lines_in,
        before=in_words(before),
        theirs=in_words(theirs),
        mine="",
        problem=f"you removed {quote(in_words(before))}, which was changed meanwhile",
    )


def removed_by_others(path: str, before: Line, mine: Line) -> Meeting:
    return Meeting(
        field=f"{path}.product",
        before=in_words(before),
        theirs="",
        mine=in_words(mine),
        problem="was removed meanwhile",
    )


def by_number(lines: list[Line]) -> dict[str, Line]:
    return {line["line"]: line for line in lines if line.get("line")}


TYPED = ("quantity", "unit_price", "discount")
"""The fields of a line that the order has which can be changed."""


def merge_line(before: Line, theirs: Line, own: Line) -> Line:
    kept = {n: own.get(n, "") for n in TYPED if own.get(n, "") != before.get(n, "")}
    return {**theirs, **kept}


def meetings_of(path: str, before: Line, theirs: Line, own: Line) -> Iterator[Meeting]:
    for name in TYPED:
        was, now, typed = (one.get(name, "") for one in (before, theirs, own))
        if typed != was and now not in (was, typed):
            yield Meeting(field=f"{path}.{name}", before=was, theirs=now, mine=typed)


def differs(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    return any(one.get(name, "") != other.get(name, "") for name in TYPED)


def in_words(line: Line) -> str:
    """Return a line of an order on one line of text."""
    return f"{line.get('product', '')}: {line.get('quantity', '')}"


def quote(text: str) -> str:
    return f"\u201c{text}\u201d" if text else "nothing"
