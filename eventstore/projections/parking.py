"""Follow the log and park what cannot be projected, so that nothing else stops."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import psycopg

from eventstore.encryption.keys import MasterKeys
from eventstore.errors import CannotProject, cause_of
from eventstore.errors.refusals import is_of_the_data
from eventstore.errors.unreadable import (
    KeyLost,
    MasterKeyMissing,
    NewerSchema,
    UnknownEventType,
    WrongMasterKey,
)
from eventstore.projections.bad_code import Trial
from eventstore.projections.failures import Failure
from eventstore.projections.folding import Folding
from eventstore.projections.parked_streams import (
    Parking,
    has_parked,
    kind_of_error,
    park,
)
from eventstore.projections.project import subscription_of
from eventstore.projections.projection import Projection
from eventstore.projections.tables import Tables, tables_of
from eventstore.steps import send_all, take_steps
from eventstore.subscriptions.read_position import note_position
from eventstore.subscriptions.subscription import Batch, Subscription, Work

NO_EVENTS_FAULT = (
    psycopg.Error,
    MemoryError,
    # Newer code reads it.
    NewerSchema,
    UnknownEventType,
    # The vault or the settings are to be mended, and then all can be read.
    KeyLost,
    MasterKeyMissing,
    WrongMasterKey,
)
Report = Callable[[str, Failure], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parker:
    """
    Parks streams for the projections of one reader.

    *masters* open personal fields. *report* gets the name of a subscription and what is
    parked for it, before that is committed. *interruptions* are the errors that a
    runner's own time limit raises. *refused* has the positions of the events whose rows
    the database has refused, by subscription.
    """

    masters: MasterKeys | None = None
    report: Report = lambda *_: None
    interruptions: tuple[type[Exception], ...] = ()
    refused: dict[str, set[int]] = field(default_factory=dict, repr=False)

    def subscription_of(self, projection: Projection, generation: int) -> Subscription:
        """
        Return the subscription of a generation that goes on where one stops.

        *generation* is its number.
        """
        tables = tables_of(projection, generation)
        return replace(
            subscription_of(projection, generation),
            masters=self.masters,
            handler=partial(self.project, projection, tables),
            work=partial(self.project_in_steps, projection, tables),
            park=partial(self.park_refused, projection, tables),
        )

    def project_in_steps(
        self, projection: Projection, tables: Tables, batch: Batch
    ) -> Work:
        """
        Fold a batch, or leave it to `project` if there is something to park.

        Raises CannotProject where the keys are at fault, or the time.
        """
        folding = self.folding_of(projection, tables)
        yield from folding.fold(
            batch.events, batch.decoded, has_parked=batch.has_parked
        )
        self.pass_on_limits(folding)
        self.refuse_others(folding.failures)
        return None if folding.failures else folding.written()

    def project(
        self,
        projection: Projection,
        tables: Tables,
        connection: psycopg.Connection[Any],
        events: Sequence[Any],
    ) -> None:
        """
        Fold *events* into the rows, and park the streams of those that fail.

        Raises CannotProject where the code is at fault, or the keys, or the time.
        """
        folding = self.folding_of(projection, tables)
        has_some = has_parked(connection, tables.name)
        take_steps(connection, [folding.fold(events, {}, has_parked=has_some)])
        self.pass_on_limits(folding)
        self.refuse_others(folding.failures)
        if folding.failures:
            self.park(connection, projection, tables, folding.failures)
        written = folding.written()
        send_all(connection, [note_position(events[-1].position), *written])

    def park_refused(
        self,
        projection: Projection,
        tables: Tables,
        connection: psycopg.Connection[Any],
        refused: CannotProject,
    ) -> bool:
        """
        Park the stream of an event whose rows the database does not take.

        It is noted, too: an event that forgets is not passed over in a parked stream.
        """
        if not self.is_the_events(refused.reason):
            return False
        with connection.transaction():
            row = connection.execute(
                """
                SELECT e.stream_id, p.position
                FROM public.events AS e
                LEFT JOIN public.parked_streams AS p
                    ON p.stream_id = e.stream_id AND p.subscription = %s
                WHERE e.id = %s
                """,
                (tables.name, refused.position),
            ).fetchone()
            if row is None:
                return False
            stream_id, parked_from = row
            if parked_from is None:
                failure = Failure(stream_id, refused.position, refused.reason)
                try:
                    self.park(connection, projection, tables, [failure])
                except CannotProject:
                    return False
        self.refused.setdefault(tables.name, set()).add(refused.position)
        return True

    def folding_of(self, projection: Projection, tables: Tables) -> Folding:
        """Return a folding that knows whose rows the database has refused."""
        return Folding(projection, tables, refused=self.refused.get(tables.name, ()))

    def park(
        self,
        connection: psycopg.Connection[Any],
        projection: Projection,
        tables: Tables,
        failures: Sequence[Failure],
    ) -> None:
        """Park the streams of *failures*. Raises CannotProject if the code is bad."""
        trial = Trial(connection, projection, tables, self.masters, self.refuse_others)
        trial.refuse_bad_code(failures)
        for failure in failures:
            self.report(tables.name, failure)
        park(tables.name, [parking_of(failure) for failure in failures]).send(
            connection
        )

    def pass_on_limits(self, folding: Folding) -> None:
        """Raise the time limit that came while an event was aimed: it comes once."""
        for error in folding.caught:
            if isinstance(error, self.interruptions):
                raise error

    def refuse_others(self, failures: Sequence[Failure]) -> None:
        """Raise CannotProject for the first failure that is not its event's fault."""
        for failure in failures:
            if not self.is_the_events(failure.error):
                raise CannotProject(failure.position, failure.error) from failure.error

    def is_the_events(self, error: Exception) -> bool:
        """Return whether an event can be what *error* comes from."""
        cause = cause_of(error)
        if isinstance(cause, self.interruptions):
            return False
        return is_of_the_data(cause) or not isinstance(cause, NO_EVENTS_FAULT)


def parking_of(failure: Failure) -> Parking:
    error, line = kind_of_error(failure.error)
    return Parking(failure.stream_id, failure.position, error, line, failure.because_of)
