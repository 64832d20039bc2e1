"""Fold a batch of events into rows in memory; an event that fails parks its stream."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from eventstore.errors import CannotProject
from eventstore.log.codec import DecodedEvents
from eventstore.log.events import RecordedEvent
from eventstore.projections.failures import Failure, RowRefused, RowsMissing
from eventstore.projections.lookups_in_memory import LookupsInMemory
from eventstore.projections.parked_streams import ask_parked
from eventstore.projections.projection import (
    Fact,
    Key,
    Projection,
    Update,
)
from eventstore.projections.rows_in_memory import RowsInMemory
from eventstore.projections.tables import Tables
from eventstore.projections.turns import (
    FoldStep,
    Turn,
    facts_of,
    keys_of,
    keys_to_look_up,
)
from eventstore.steps import Statement, Steps

Owns = Callable[[Fact, Key | None], bool]
"""Whether the row with a key, or what an update changes (None), is folded here."""


def owns_all(fact: Fact, key: Key | None) -> bool:
    return True


class Folding:
    """
    Folds a batch of one projection, and knows what is parked for it.

    *parked* are positions by stream: from there on its events are passed over, except
    for those that forget. Failures are added to it, so that a bad event costs its own
    stream only. *refused* are positions of events whose rows the database has refused.
    *rows* and *lookups* are what is in memory from batches before it. *owns* tells
    which rows are folded.
    """

    def __init__(
        self,
        projection: Projection,
        tables: Tables,
        parked: Mapping[str, int] | None = None,
        refused: Collection[int] = (),
        *,
        rows: RowsInMemory | None = None,
        lookups: LookupsInMemory | None = None,
        owns: Owns = owns_all,
    ) -> None:
        self.projection = projection
        self.tables = tables
        self.parked = dict(parked or {})
        self.refused = refused
        self.failures: list[Failure] = []
        self.rows = rows or RowsInMemory(tables.rows)
        self.lookups = lookups or LookupsInMemory(projection.lookups, tables.lookups)
        self.owns = owns
        self.turns: Sequence[Turn] = ()
        # Of events that were aimed in vain, and perhaps with success later.
        self.caught: list[Exception] = []
        # Turns that were aimed ahead of the folds, each with what it has looked up.
        self.ahead: list[Turn] = []
        self.is_ahead = True

    def fold(
        self,
        events: Sequence[RecordedEvent],
        decoded: DecodedEvents,
        *,
        has_parked: bool,
    ) -> Steps[None]:
        """
        Fold *events* in steps: ask for look-ups, then for rows.

        An update of many rows changes the loaded ones here, in its turn between the
        folds, and is written as a statement for the others. *has_parked* says whether
        the database has streams that are parked for this projection.
        """
        turns = self.turns = [self.read(event, decoded) for event in events]
        yield from self.load_lookups(turns, has_parked=has_parked)
        for turn in turns:
            if not (self.parked and self.is_parked(turn)):
                self.aim(turn)
                self.ahead.append(turn)
        yield from self.load_rows(turns, has_parked=has_parked)
        for turn in turns:
            is_parked = bool(self.parked) and self.is_parked(turn)
            if is_parked and not self.forgets(turn):
                continue
            if is_parked or turn.changes is None:
                self.look_back(turn)
            if not self.is_ahead:
                self.aim(turn)
                yield from self.load_rows([turn], has_parked=has_parked)
            error = self.apply(turn)
            if error is None:
                continue
            self.look_back(turn)
            self.lookups.take_back(turn)
            if not is_parked:
                self.park(turn, error)
            if self.forgets(turn):
                yield from self.delete_subject(turn)

    def read(self, event: RecordedEvent, decoded: DecodedEvents) -> Turn:
        """Return an event with its facts; none if the projection does not read it."""
        try:
            return Turn(event, facts_of(self.projection, event, decoded))
        except Exception as error:
            return Turn(event, error=error)

    def load_lookups(self, turns: Sequence[Turn], *, has_parked: bool) -> Steps[None]:
        """Load the look-ups' rows that these events change or need."""
        keys = keys_to_look_up(self.projection, turns) if self.lookups.tables else {}
        unknown = self.lookups.find_unknown(keys)
        questions = self.lookups.load(unknown)
        if has_parked:
            streams = {turn.event.stream_id for turn in turns}
            for name, some in keys.items():
                streams |= self.lookups.streams_of(name, some)
            questions.append(ask_parked(self.tables.name, streams))
        if not questions:
            return
        answers = yield questions
        self.lookups.take(unknown, answers)
        if has_parked:
            self.parked.update(answers[-1].fetchall())

    def load_rows(self, turns: Iterable[Turn], *, has_parked: bool) -> Steps[None]:
        """Load the rows that these events fold, where they are not here yet."""
        keys = self.rows.find_unknown({key for turn in turns for key in keys_of(turn)})
        if not keys:
            return
        questions = [self.rows.table.load(keys)]
        if has_parked:
            streams = {s for key in keys if (s := self.projection.stream_of(key))}
            questions.append(ask_parked(self.tables.name, streams))
        answers = yield questions
        self.rows.take(keys, answers[0])
        if has_parked:
            self.parked.update(answers[1].fetchall())

    def is_parked(self, turn: Turn) -> bool:
        place = self.parked.get(turn.event.stream_id)
        return place is not None and turn.event.position >= place

    def forgets(self, turn: Turn) -> bool:
        return turn.event.type in self.projection.types_that_forget

    def aim(self, turn: Turn) -> None:
        """Fold its look-ups, and find what it changes, as of this event."""
        if turn.error is not None and not turn.facts:
            return
        turn.error, turn.changes, turn.lookups = None, [], None
        try:
            for fact in turn.facts:
                self.aim_fact(fact, turn)
        except Exception as error:
            turn.error, turn.changes = error, None
            self.caught.append(error)
            self.lookups.take_back(turn)

    def aim_fact(self, fact: Fact, turn: Turn) -> None:
        assert turn.changes is not None
        projection = self.projection
        self.lookups.fold(fact, turn)
        looked_up = self.lookups.look_up(projection.needs(fact))
        for part in projection.parts(fact, looked_up):
            changed = projection.key_of(part, looked_up)
            if changed is not None and self.owns(part, changed):
                turn.changes.append(FoldStep(part, changed, looked_up))
        update = projection.update(fact)
        if update is not None and self.owns(fact, None):
            self.tables.rows.check_update(update)
            turn.changes.append(update)

    def apply(self, turn: Turn) -> Exception | None:
        """Fold an event into the rows, all of it or nothing; return what failed."""
        if turn.error is not None:
            return turn.error
        if turn.event.position in self.refused:
            return RowRefused()
        rows = self.rows
        updates = len(rows.updates)
        try:
            if self.parked and (cause := self.find_cause(turn)):
                raise RowsMissing(cause)
            for change in turn.changes or ():
                if isinstance(change, FoldStep):
                    fact, key, looked_up = change
                    new = self.projection.fold(rows.by_key.get(key), fact, looked_up)
                    rows.change(key, new)
                else:
                    rows.update(change)
        except Exception as error:
            rows.take_back(updates)
            return error
        rows.undo.clear()
        self.lookups.keep(turn)
        return None

    def park(self, turn: Turn, error: Exception) -> None:
        event = turn.event
        cause = self.find_cause(turn)
        self.parked[event.stream_id] = event.position
        self.failures.append(Failure(event.stream_id, event.position, error, cause))

    def find_cause(self, turn: Turn) -> str | None:
        """Return the parked stream without whose rows an event cannot be folded."""
        for stream_id in self.streams_missing(turn):
            if stream_id in self.parked and stream_id != turn.event.stream_id:
                return stream_id
        return None

    def streams_missing(self, turn: Turn) -> Iterable[str]:
        """Yield the streams of the rows that an event needs, and that are missing."""
        for fact in turn.facts:
            for name, key in self.projection.needs(fact).items():
                if self.lookups.rows[name].get(key) is None:
                    yield from self.lookups.streams_of(name, [key])
        for key in keys_of(turn):
            stream_id = self.projection.stream_of(key)
            if stream_id is not None and self.rows.by_key.get(key) is None:
                yield stream_id

    def look_back(self, turn: Turn) -> None:
        """
        Undo the look-ups that were folded ahead, from *turn* on.

        What comes behind it is aimed once more when it is folded: it may have looked up
        what this event changed.
        """
        while self.ahead and self.ahead[-1].event.position >= turn.event.position:
            self.lookups.take_back(self.ahead.pop())
        self.is_ahead = False

    def delete_subject(self, turn: Turn) -> Steps[None]:
        """
        Delete the rows of a stream that is forgotten, and cannot be folded.

        Where such a row is another stream's, too, that one is parked because of it: the
        row is made once more with both.
        """
        event = turn.event
        category, _, subject = event.stream_id.partition("-")
        self.lookups.forget(category, subject)
        table = self.tables.rows
        columns = [c for c, of in self.projection.streams.items() if of == category]
        if not columns:
            return
        answers = yield [table.load_where(name, [subject]) for name in columns]
        keys = {key for answer in answers for key in table.loaded(answer)}
        keys |= {
            key
            for key, row in self.rows.by_key.items()
            if row is not None and event.stream_id in self.projection.streams_of(row)
        }
        others = {s for key in keys if (s := self.projection.stream_of(key))}
        [parked] = yield [ask_parked(self.tables.name, others)]
        self.parked.update(parked)
        for stream_id in sorted(others - self.parked.keys()):
            missing = RowsMissing(event.stream_id)
            failure = Failure(stream_id, event.position, missing, event.stream_id)
            self.failures.append(failure)
            self.parked[stream_id] = event.position
        for key in keys:
            self.rows.delete(key)

    def written(self) -> list[Statement]:
        """Return the statements that write what was folded."""
        return [*self.lookups.written(), *self.rows.written()]


def aim_alone(
    projection: Projection, tables: Tables, event: RecordedEvent
) -> Steps[Sequence[FoldStep | Update]]:
    """Return what *event* changes, with the look-ups' present rows; change nothing."""
    folding = Folding(projection, tables)
    turn = folding.read(event, {})
    yield from folding.load_lookups([turn], has_parked=False)
    folding.aim(turn)
    if turn.error is not None:
        raise CannotProject(event.position, turn.error) from turn.error
    return turn.changes or ()
