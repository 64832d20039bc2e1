"""Stores that break one rule each, by the name of the check that has to find it."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from eventstore import (
    ANY_VERSION,
    NO_STREAM,
    STREAM_EXISTS,
    AsOf,
    MemoryStore,
    NoSuchVersion,
    NotSettled,
    Outcome,
    RecordedEvent,
    Streams,
)
from eventstore.testing.conformance.jars import coin
from tests.support import broken_appends as does
from tests.support.breaking import (
    Broken,
    answering,
    appending,
    asking,
    claiming,
    expecting,
    handling,
    log_of,
    reading,
    showing,
)
from tests.support.broken_appends import MOMENT

LONG_AGO = datetime(1996, 7, 1, tzinfo=UTC)


class Late(MemoryStore):
    """Ids are drawn before they are seen, and its reader does not wait for them."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden: set[int] = set()

    def _append(self, events: Any, **given: Any) -> Any:
        with log_of(self).lock:
            done = super()._append(events, **given)
            positions = {place.position for place in done}
            self.hidden |= positions
        time.sleep(MOMENT * (done[0].position % 3))
        self.hidden -= positions
        return done

    def read_all(self, **given: Any) -> Iterator[RecordedEvent]:
        return (e for e in super().read_all(**given) if e.position not in self.hidden)


class ByStream(MemoryStore):
    def read_all(self, **given: Any) -> Iterator[RecordedEvent]:
        return iter(sorted(super().read_all(**given), key=lambda e: e.stream_id))


class ByPrefix(MemoryStore):
    def read_all(self, *, category: Any = "", **given: Any) -> Iterator[RecordedEvent]:
        return (
            e for e in super().read_all(**given) if e.stream_id.startswith(category)
        )


class Endless(MemoryStore):
    def read_all(self, **given: Any) -> Iterator[RecordedEvent]:
        return iter(log_of(self).events)


class Guessing(MemoryStore):
    """It answers also what it cannot know."""

    def version(self, stream_id: str, as_of: AsOf = AsOf()) -> int:  # noqa: B008
        try:
            return super().version(stream_id, as_of)
        except (NoSuchVersion, NotSettled):
            return super().version(stream_id)

    def read_all(self, **given: Any) -> Iterator[RecordedEvent]:
        return super().read_all(**{**given, "up_to": None})


class CountingNone(MemoryStore):
    def version(self, stream_id: str, as_of: AsOf = AsOf()) -> int:  # noqa: B008
        return super().version(stream_id, as_of) or -1


class Loading(MemoryStore):
    """It loads the stream that is asked for first, and no other."""

    def _load(self, stream_ids: Any, *args: Any, **given: Any) -> Streams:
        first, *_ = stream_ids = list(stream_ids)
        streams = super()._load(stream_ids, *args, **given)
        initial = args[0].of_stream(first).initial
        states = {s: streams.states[s] if s == first else initial for s in stream_ids}
        return Streams(states, streams.versions)


class Initial(MemoryStore):
    def load(self, stream_ids: Any, deciders: Any, *args: Any) -> Streams:
        streams = super().load(stream_ids, deciders, *args)
        states = {s: deciders.of_stream(s).initial for s in streams.states}
        return Streams(states, streams.versions)


class Keyless(MemoryStore):
    def load(self, stream_ids: Any, deciders: Any, *args: Any) -> Streams:
        return super().load(stream_ids, replace(deciders, masters=None), *args)


class Noting(MemoryStore):
    """It writes down also what was refused."""

    def handle(self, command: Any, **given: Any) -> Outcome:
        outcome = super().handle(command, **given)
        if outcome.status == "rejected":
            stream = f"jar-{command.jar}"
            self.append([(stream, coin())], expected={stream: ANY_VERSION})
        return outcome


def as_of_all(store: MemoryStore, stream_id: str, as_of: AsOf) -> AsOf:
    """Take each event that had occurred by then, also behind one that had not."""
    if as_of.at is None:
        return as_of
    stream = log_of(store).stream(stream_id)
    return AsOf(version=sum(e.occurred_at <= as_of.at for e in stream))


def not_quite(store: MemoryStore, stream_id: str, as_of: AsOf) -> AsOf:
    """Leave out what happened at that very position, or at that very time."""
    if as_of.position:
        return AsOf(position=as_of.position - 1)
    return AsOf(at=as_of.at - timedelta(microseconds=1)) if as_of.at else as_of


def without_part_of_the_past(call: dict[str, Any]) -> None:
    if "as_of" in call:
        call.pop("after", None)


def in_the_clear(call: dict[str, Any]) -> None:
    call["deciders"] = replace(call["deciders"], masters=None)


BROKEN: Mapping[str, Broken] = {
    "versions_of_a_stream_count_from_one": showing(
        lambda e: e._replace(version=e.version - 1)
    ),
    "an_event_is_read_as_it_was_appended": showing(
        lambda e: e._replace(data=e.data.replace("7", "8"))
    ),
    "an_event_tells_when_it_was_recorded": showing(
        lambda e: e._replace(metadata=e.metadata.replace("recorded_at", "at"))
    ),
    "a_time_that_an_event_brings_is_kept": appending(does.without_times),
    "an_event_without_a_time_is_never_before_the_one_before_it": showing(
        lambda e: e._replace(occurred_at=LONG_AGO) if e.version > 1 else e
    ),
    "positions_rise_in_the_order_of_appending": answering(
        lambda done: [p._replace(position=100 - p.position) for p in done]
    ),
    "an_append_tells_where_its_events_came_to_stand": answering(
        lambda done: done[::-1]
    ),
    "of_several_streams_all_are_written_or_none": appending(does.one_by_one),
    "a_number_wants_the_stream_at_that_version": expecting(
        lambda version: ANY_VERSION if version > 0 else version
    ),
    "no_stream_wants_that_there_is_none": expecting(
        lambda version: ANY_VERSION if version == NO_STREAM else version
    ),
    "stream_exists_wants_an_event": expecting(
        lambda version: ANY_VERSION if version == STREAM_EXISTS else version
    ),
    "any_version_takes_what_there_is": expecting(
        lambda version: NO_STREAM if version == ANY_VERSION else version
    ),
    "a_stream_that_was_only_read_is_checked_too": appending(does.written_alone),
    "versions_are_checked_also_without_an_event": appending(
        lambda store, call: None if call["events"] else []
    ),
    "a_stream_that_is_written_needs_an_expected_version": appending(does.unless_named),
    "the_same_events_again_are_answered_with_their_first_places": appending(
        does.with_new_ids
    ),
    "they_are_recognised_when_others_have_come_after_them": appending(
        does.with_new_ids_behind_others
    ),
    "other_events_at_that_version_are_none_of_them": appending(does.refusal_swallowed),
    "a_part_of_them_with_others_is_refused": appending(does.known_by_id_alone),
    "without_a_number_they_are_taken_for_new_ones": appending(does.known_by_id_alone),
    "a_stream_is_called_like_its_category_and_an_id": appending(does.unchecked),
    "a_type_has_a_name_that_can_be_kept": appending(does.unchecked),
    "the_data_of_an_event_have_a_largest_size": appending(does.unchecked),
    "the_metadata_of_an_event_have_a_largest_size": appending(does.unchecked),
    "one_append_has_a_largest_number_of_events": appending(does.unchecked),
    "a_text_has_no_nul_and_no_half_of_a_character": appending(does.unchecked),
    "a_number_is_one": appending(does.unchecked),
    "what_a_stream_has_claimed_no_other_can": claiming(lambda *_: None),
    "another_value_or_scope_is_another_claim": claiming(
        lambda _, claim: claim._replace(scope="all", keyed_hash=b"the same")
    ),
    "a_stream_may_claim_again_what_it_has": claiming(does.by_a_new_stream),
    "what_was_released_can_be_claimed": claiming(
        lambda _, claim: None if claim.is_released else claim
    ),
    "a_stream_releases_only_what_is_its_own": claiming(does.released_for_its_owner),
    "a_value_goes_from_one_stream_to_another_in_one_append": appending(
        does.claimed_before
    ),
    "an_append_that_is_refused_claims_nothing": appending(does.claimed_before),
    "of_writers_on_the_same_version_one_wins": appending(does.looked_at_before),
    "of_writers_at_any_version_all_are_heard": appending(does.any_is_the_one_seen),
    "of_two_that_each_read_the_others_stream_one_holds": appending(
        does.looked_at_before
    ),
    "of_streams_that_claim_the_same_one_gets_it": appending(
        does.claims_looked_at_before
    ),
    "a_reader_sees_an_append_as_a_whole": appending(does.one_by_one),
    "a_reader_of_the_log_skips_no_event": Late,
    "an_empty_stream_has_no_events": CountingNone,
    "a_stream_is_read_forwards_and_backwards": reading(
        lambda call: call.pop("backwards", None)
    ),
    "a_stream_is_read_in_parts": reading(lambda call: call.pop("limit", None)),
    "the_log_has_the_events_of_all_streams_in_order": ByStream,
    "the_log_is_read_in_parts": reading(lambda call: call.pop("up_to", None)),
    "the_log_is_read_by_category": ByPrefix,
    "the_log_is_read_by_type": reading(
        lambda call: call.update(types=call.get("types") or None)
    ),
    "the_log_is_read_up_to_where_it_is_settled": Guessing,
    "a_reading_that_has_begun_ends_where_the_log_ended": Endless,
    "a_stream_is_read_as_of_a_version": asking(lambda *_: AsOf()),
    "a_version_that_a_stream_does_not_have_is_refused": Guessing,
    "a_stream_is_read_as_of_a_position": asking(not_quite),
    "a_position_that_is_not_settled_is_refused": Guessing,
    "a_stream_is_read_as_of_a_time": asking(not_quite),
    "as_of_a_time_a_stream_is_its_longest_beginning": asking(as_of_all),
    "a_part_of_the_past_is_read": reading(without_part_of_the_past),
    "streams_are_loaded_to_their_states": Initial,
    "a_command_takes_effect_in_its_stream": handling(
        lambda call: Outcome(status="succeeded")
    ),
    "a_command_may_be_sent_to_a_stream_by_name": handling(
        lambda call: call.pop("stream_id") and None
    ),
    "its_events_tell_whose_command_it_was": handling(
        lambda call: call.update(actor="somebody")
    ),
    "a_command_that_a_rule_refuses_writes_nothing": Noting,
    "a_command_is_decided_on_the_streams_that_it_reads": Loading,
    "a_command_holds_only_on_what_it_was_decided_on": expecting(lambda _: ANY_VERSION),
    "a_command_that_claims_what_is_anothers_is_rejected": claiming(lambda *_: None),
    "what_a_command_claims_is_claimed_for_whoever_appends": appending(
        does.handled_with_another_key
    ),
    "personal_fields_are_not_written_in_the_clear": handling(in_the_clear),
    "personal_fields_are_read_with_the_key": Keyless,
    "who_is_forgotten_reads_as_forgotten": appending(does.keys_kept),
    "who_is_forgotten_stays_forgotten": appending(does.forgotten_where_known),
}
