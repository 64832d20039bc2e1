"""Convert typed texts to the plain data of a command, and back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.errors import Fault
from domain.fields import MAX_LINES
from webapp.formats import read, write
from webapp.forms.form import LINE_NAME, Form
from webapp.notation import Notation
from webapp.problems import Problem

MAX_LINES_SHOWN = 2 * MAX_LINES
"""A page of so many lines takes 0.25 seconds; no page of ours sends more."""


@dataclass(slots=True)
class FormValues:
    """The texts typed into a form, by field name."""

    fields: dict[str, str]
    lines: list[dict[str, str]] = field(default_factory=list)


def read_values(form: Form, posted: Mapping[str, str]) -> FormValues:
    """
    Return the fields of *form* in *posted*; others are left out.

    Raises the Problem that there are more lines than a page can show.
    """
    lines: dict[int, dict[str, str]] = {}
    for name, text in posted.items():
        match = LINE_NAME.fullmatch(name)
        if match and match[1] == form.lines_in and match[3] in form.line_fields:
            lines.setdefault(int(match[2]), {})[match[3]] = text.strip()
    if len(lines) > MAX_LINES_SHOWN:
        detail = f"An order has at most {MAX_LINES} lines. Nothing was sent."
        raise Problem("too-large", detail)
    kept = {name: posted[name].strip() for name in form.keeps if posted.get(name)}
    return FormValues(
        {**{name: posted.get(name, "").strip() for name in form.fields}, **kept},
        [lines[number] for number in sorted(lines)],
    )


def without_empty_lines(form: Form, typed: FormValues) -> FormValues:
    """Return *typed* without the lines in which nothing was filled in."""
    lines = [
        line
        for line in typed.lines
        if any(text for name, text in line.items() if name not in form.line_keys)
    ]
    return FormValues(typed.fields, lines)


def data_of(
    form: Form, typed: FormValues, notation: Notation
) -> tuple[Any, list[Fault]]:
    """
    Return the data of *typed*, and the faults of texts that cannot be parsed.

    An empty field counts as missing.
    """
    faults: list[Fault] = []
    data: dict[str, Any] = {name: {} for name in form.needs}
    for name in form.fields:
        read_into(data, name.split("."), typed.fields[name], name, notation, faults)
    if form.line_fields:
        data[form.lines_in] = [
            line_data(
                {k: v for k, v in line.items() if k not in form.line_shown},
                f"{form.lines_in}.{number}",
                notation,
                faults,
            )
            for number, line in enumerate(typed.lines)
        ]
    return data, faults


def line_data(
    line: Mapping[str, str], path: str, notation: Notation, faults: list[Fault]
) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for name, text in line.items():
        read_into(data, [name], text, f"{path}.{name}", notation, faults)
    return data


def read_into(
    data: dict[str, Any],
    names: list[str],
    text: str,
    path: str,
    notation: Notation,
    faults: list[Fault],
) -> None:
    *parents, name = names
    if not text:
        return
    for parent in parents:
        data = data.setdefault(parent, {})
    try:
        data[name] = read(name, text, notation)
    except ValueError as error:
        faults.append(Fault(path, str(error)))


def values_for(form: Form, data: Mapping[str, Any], notation: Notation) -> FormValues:
    """Return *data* as the texts of *form*."""
    return FormValues(
        {name: write_value(data, name.split("."), notation) for name in form.fields},
        [
            {name: write_value(line, [name], notation) for name in form.line_fields}
            for line in (data.get(form.lines_in) or () if form.line_fields else ())
        ],
    )


def write_value(data: Any, names: list[str], notation: Notation) -> str:
    for name in names:
        data = data.get(name) if isinstance(data, Mapping) else None
    return "" if data is None else write(names[-1], data, notation)
