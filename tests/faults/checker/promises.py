"""What was promised: the client's own log against the journal."""

from collections import Counter
from collections.abc import Iterator, Mapping

from tests.faults.answers import Attempt
from tests.faults.checker.asked import KEY_REUSED, KeyHistory, content_of, told
from tests.faults.checker.journal import Command
from tests.faults.checker.later import check_later, is_for_its_time
from tests.faults.checker.verdict import Verdict

KEPT = "what was answered with 202 is in the journal"
FINAL = "every command comes to one of its ends"
STATUS = "a command has one of the documented statuses"
ONE_ID = "a key has one command, and a command one key"
SAME_KEY = "a key is refused for other content, and for nothing else"
AS_SENT = "a command is in the journal as it was sent"
NO_MORE = "nothing is in the journal that was refused, or was not sent"
ANSWERS = "every answer is a documented one, and 503 the only 5xx"

ENDS = frozenset({"succeeded", "rejected", "failed", "abandoned", "cancelled"})
DOCUMENTED = frozenset({202, 400, 401, 403, 404, 405, 413, 415, 422, 429, 503})

Journal = Mapping[str, Command]


def check_promises(
    asked: Mapping[str, KeyHistory], journal: Journal, verdict: Verdict
) -> None:
    """Hold each key of the client's log against the journal, and the other way."""
    promised = {i: one for one in asked.values() for i in one.ids}
    kept = {i: one for i, one in promised.items() if i in journal}
    nameless = [one.key for one in asked.values() if one.is_nameless]
    lost = [*(promised.keys() - kept.keys()), *nameless]
    verdict.note(KEPT, len(promised) + len(nameless), lost)
    verdict.note(ONE_ID, len(asked), several_ids(asked))
    verdict.note(SAME_KEY, len(asked), wrongly_reused(asked))
    verdict.note(
        AS_SENT,
        len(kept),
        (i for i, one in kept.items() if not is_as_sent(one, journal[i])),
    )
    mine = [c for c in journal.values() if not c.is_internal]
    verdict.note(NO_MORE, len(mine), nobodys(asked, promised, mine))
    answers = [a for one in asked.values() for a in one.attempts if a.status]
    wrong = (f"{a.key}: {a.status}" for a in answers if a.status not in DOCUMENTED)
    verdict.note(ANSWERS, len(answers), wrong)
    check_ends(journal, verdict)
    check_later(promised, journal, verdict)


def check_ends(journal: Journal, verdict: Verdict) -> None:
    commands = journal.values()
    verdict.outcomes.update(command.status for command in commands)
    known = ENDS | {"accepted"}
    verdict.note(
        STATUS, len(commands), (c.id for c in commands if c.status not in known)
    )
    due = [command for command in commands if not command.is_scheduled]
    verdict.note(FINAL, len(due), (c.id for c in due if c.status not in ENDS))


def several_ids(asked: Mapping[str, KeyHistory]) -> Iterator[str]:
    """Yield the keys that got several commands, and ids that several keys got."""
    owners: dict[str, str] = {}
    for one in asked.values():
        if len(one.ids) > 1:
            yield one.key
        for command_id in one.ids:
            if owners.setdefault(command_id, one.key) != one.key:
                yield f"{command_id}: {owners[command_id]}, {one.key}"


def wrongly_reused(asked: Mapping[str, KeyHistory]) -> Iterator[str]:
    """Yield keys that two contents were accepted under, or that were not other."""
    for one in asked.values():
        if len(one.attempts) == 1 and one.attempts[0].status == 202:
            continue
        contents = {content_of(attempt) for attempt in one.attempts}
        accepted = {content_of(attempt) for attempt in one.promised}
        is_refused = any(map(says_reused, one.attempts))
        if len(accepted) > 1 or (is_refused and len(contents) == 1):
            yield one.key


def says_reused(attempt: Attempt) -> bool:
    return attempt.status == 422 and attempt.problem.endswith(KEY_REUSED)


def is_as_sent(one: KeyHistory, command: Command) -> bool:
    """Say whether the journal has what was answered with 202, and no other content."""
    return any(
        attempt.stream in ("", command.stream)
        and says_the_same(told(attempt.type, attempt.data), command)
        and is_for_its_time(attempt.not_before, command)
        for attempt in one.promised
    )


def says_the_same(sent: tuple[object, ...], command: Command) -> bool:
    """Compare what a client sent; what it left out the shop may have filled in."""
    kept = told(command.type, command.data)
    pairs = zip(sent, kept, strict=False)
    return len(sent) == len(kept) and all(s in (None, k) for s, k in pairs)


def nobodys(
    asked: Mapping[str, KeyHistory],
    promised: Mapping[str, KeyHistory],
    mine: list[Command],
) -> Iterator[str]:
    """
    Yield the commands that no 202 and no open answer can stand for.

    An open answer stands for one command of just that content.
    """
    open_ones = Counter(
        content
        for one in asked.values()
        if one.may_be_accepted
        for content in {told(a.type, a.data) for a in one.attempts}
    )
    for command in mine:
        if command.id in promised:
            continue
        content = told(command.type, command.data)
        if not open_ones[content]:
            yield command.id
        open_ones[content] -= 1
