"""Parse input to a command of this shop, or raise all its faults at once."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import fields
from typing import Any, NoReturn

from domain.errors import Fault, InvalidInput
from domain.input import MAX_UNKNOWN_NAMES, parse, unknown_name
from tasks.shop.wiring import Shop
from webapp.date_checks import faults_of_dates, never_sent
from webapp.doubts import find_doubts
from webapp.problems import Problem

MAX_VERSION = 2**31 - 1
ENVELOPE = ("type", "data", "expected_version", "confirmed")
MAX_CONFIRMED = 1_000


def usable_key(key: str | None) -> str:
    """Return *key*, or raise the Problem that it is no valid key."""
    if not key or not key.strip():
        raise Problem("idempotency-key", "The header Idempotency-Key is missing.")
    if len(key) > 200:
        raise Problem("idempotency-key", "The key has more than 200 characters.")
    if not re.fullmatch("[ -~]+", key):
        raise Problem("idempotency-key", "The key has other than printable characters.")
    return key


def command_from(
    shop: Shop,
    name: str,
    data: object,
    faults: Sequence[Fault] = (),
    *,
    confirmed: Collection[str] = (),
    is_known: Callable[[], bool] = never_sent,
) -> Any:
    """
    Return the command called *name* with *data*, plain JSON values.

    *faults* are those found before: their fields get no second fault. What is doubtful
    about the fields *confirmed* is no fault. If *is_known*, the command was accepted
    before, and neither its dates nor what is doubtful is checked again. Raises
    InvalidInput with all faults.
    """
    found = list(faults)
    command: Any = None
    if isinstance(data, Mapping) and has_currency(shop, name):
        data = {"currency": shop.settings.currency, **data}
        found += other_currency(data["currency"], shop.settings.currency)
    try:
        command = parse(shop.commands[name], data)
    except InvalidInput as error:
        known = {fault.field for fault in found}
        found += [fault for fault in error.faults if fault.field not in known]
    if isinstance(data, Mapping):
        found += faults_of_dates(shop, name, data, is_known)
    if all(fault.doubtful for fault in found):
        found += doubts_unless(is_known, shop, command)
    found = [f for f in found if not (f.doubtful and f.field in confirmed)]
    if found:
        raise InvalidInput(found)
    return command


def doubts_unless(
    is_known: Callable[[], bool], shop: Shop, command: Any
) -> Sequence[Fault]:
    doubts = find_doubts(shop, command)
    return [] if doubts and is_known() else doubts


def has_currency(shop: Shop, name: str) -> bool:
    return any(field.name == "currency" for field in fields(shop.commands[name]))


def other_currency(given: object, currency: str) -> list[Fault]:
    if given == currency:
        return []
    return [Fault("currency", f"must be {currency}, the currency of this shop")]


def envelope(
    shop: Shop, body: object, known: Sequence[str] = ENVELOPE
) -> tuple[str, object, int | None]:
    """
    Return the type, the data and the expected version in *body*.

    *known* are the names that its sender may use.

    Raises InvalidInput; the data themselves are checked by `command_from`.
    """
    if not isinstance(body, Mapping):
        one_fault("body", 'must be an object like {"type": …, "data": {…}}')
    unknown = [name for name in body if name not in known][:MAX_UNKNOWN_NAMES]
    faults = [Fault(name, unknown_name(name, known)) for name in unknown]
    faults += type_faults(body, shop.commands)
    if "data" not in body:
        faults.append(Fault("data", "is missing"))
    version = body.get("expected_version")
    if version is not None and not is_version(version):
        faults.append(Fault("expected_version", "must be a whole number from 0"))
    if faults:
        raise InvalidInput(faults)
    return body["type"], body["data"], version


def confirmed_in(body: Mapping[str, Any]) -> list[str]:
    """Return the fields that a body confirms. Raises InvalidInput."""
    named = body.get("confirmed", [])
    are_names = isinstance(named, list) and all(isinstance(n, str) for n in named)
    if not are_names or len(named) > MAX_CONFIRMED:
        one_fault("confirmed", "must be a list of names of fields")
    return list(named)


def one_fault(field: str, problem: str) -> NoReturn:
    raise InvalidInput([Fault(field, problem)])


def type_faults(body: Mapping[str, Any], commands: Mapping[str, type]) -> list[Fault]:
    if "type" not in body:
        return [Fault("type", f"is missing; {choice(commands)}")]
    name = body["type"]
    if not isinstance(name, str):
        return [Fault("type", f"must be a text; {choice(commands)}")]
    if name not in commands:
        return [Fault("type", f"{unknown_name(name, commands)}; {choice(commands)}")]
    return []


def choice(commands: Mapping[str, type]) -> str:
    return f"the commands are {', '.join(sorted(commands))}"


def is_version(value: object) -> bool:
    if not isinstance(value, int) or isinstance(value, bool):
        return False
    return 0 <= value <= MAX_VERSION


def version_of(if_match: str | None) -> int | None:
    """Return the expected version in the header If-Match (`"3"`)."""
    if if_match is None:
        return None
    match = re.fullmatch('"?([0-9]{1,10})"?', if_match.strip())
    if match is None or not is_version(int(match[1])):
        raise Problem("bad-request", 'If-Match must be a version, like "3".')
    return int(match[1])


def version_asked(if_match: str | None, version: int | None) -> int | None:
    """
    Return the expected version: of the header If-Match, or *version* in the body.

    Raises the Problem that both are given and differ.
    """
    seen = version_of(if_match)
    if None not in (seen, version) and seen != version:
        raise Problem("bad-request", "If-Match and expected_version differ.")
    return version if seen is None else seen
