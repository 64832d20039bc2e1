"""What a broken store does in place of an append, for `breaking.appending`."""

import time
from dataclasses import replace
from typing import Any
from uuid import uuid4

import msgspec

from eventstore import (
    ANY_VERSION,
    AlreadyClaimed,
    Clash,
    MemoryStore,
    WrongExpectedVersion,
)
from eventstore.testing.memory.log import event_id_of
from tests.support.breaking import head, log_of

MOMENT = 0.001


def without_times(store: MemoryStore, call: dict[str, Any]) -> None:
    call["events"] = [(s, replace(e, occurred_at=None)) for s, e in call["events"]]


def one_by_one(store: MemoryStore, call: dict[str, Any]) -> Any:
    done: list[Any] = []
    seen: set[str] = set()
    for stream_id, event in call["events"]:
        expected = ANY_VERSION if stream_id in seen else call["expected"][stream_id]
        seen.add(stream_id)
        done += MemoryStore._append(
            store, [(stream_id, event)], expected={stream_id: expected}
        )
        time.sleep(MOMENT)
    return done


def written_alone(store: MemoryStore, call: dict[str, Any]) -> None:
    written = {stream_id for stream_id, _ in call["events"]}
    call["expected"] = {s: v for s, v in call["expected"].items() if s in written}


def unless_named(store: MemoryStore, call: dict[str, Any]) -> None:
    streams = {stream_id: ANY_VERSION for stream_id, _ in call["events"]}
    call["expected"] = streams | call["expected"]


def with_new_ids(store: MemoryStore, call: dict[str, Any]) -> None:
    call["events"] = [
        (
            stream_id,
            replace(
                event,
                metadata=msgspec.structs.replace(event.metadata, event_id=uuid4()),
            ),
        )
        for stream_id, event in call["events"]
    ]


def with_new_ids_behind_others(store: MemoryStore, call: dict[str, Any]) -> None:
    written = [stream_id for stream_id, _ in call["events"]]
    for stream_id, version in call["expected"].items():
        if head(store, stream_id) > version + written.count(stream_id) >= 0:
            with_new_ids(store, call)


def refusal_swallowed(store: MemoryStore, call: dict[str, Any]) -> Any:
    try:
        return MemoryStore._append(store, **call)
    except WrongExpectedVersion:
        return []


def known_by_id_alone(store: MemoryStore, call: dict[str, Any]) -> Any:
    ids = {str(event.metadata.event_id) for _, event in call["events"]}
    known = [e for e in log_of(store).events if event_id_of(e) in ids]
    return known or None


def unchecked(store: MemoryStore, call: dict[str, Any]) -> Any:
    return log_of(store).append(call["events"], call["expected"], (), None, ())


def looked_at_before(store: MemoryStore, call: dict[str, Any]) -> None:
    """Check the versions, and append a moment later whatever they are by then."""
    for stream_id, version in call["expected"].items():
        if head(store, stream_id) != version:
            raise WrongExpectedVersion(stream_id, version, head(store, stream_id))
    time.sleep(MOMENT)
    call["expected"] = dict.fromkeys(call["expected"], ANY_VERSION)


def any_is_the_one_seen(store: MemoryStore, call: dict[str, Any]) -> None:
    call["expected"] = {s: head(store, s) for s in call["expected"]}
    time.sleep(MOMENT)


def by_a_new_stream(store: MemoryStore, claim: Any) -> Any:
    return claim._replace(stream_id=f"jar-{uuid4()}")


def released_for_its_owner(store: MemoryStore, claim: Any) -> Any:
    owner = log_of(store).claims.get((claim.scope, claim.keyed_hash))
    return claim._replace(stream_id=owner) if claim.is_released and owner else claim


def claimed_before(store: MemoryStore, call: dict[str, Any]) -> None:
    for claim in call.pop("claims"):
        MemoryStore._append(store, [], expected={}, claims=[claim])


def claims_looked_at_before(store: MemoryStore, call: dict[str, Any]) -> None:
    claims = call.pop("claims")
    for claim in claims:
        if (claim.scope, claim.keyed_hash) in log_of(store).claims:
            raise AlreadyClaimed([Clash(*claim[:4])])
    time.sleep(MOMENT)
    new = {(claim.scope, claim.keyed_hash): claim.stream_id for claim in claims}
    log_of(store).claims = {**log_of(store).claims, **new}


def handled_with_another_key(store: MemoryStore, call: dict[str, Any]) -> None:
    if "new_keys" in call:
        call["claims"] = [c._replace(keyed_hash=b"x") for c in call["claims"]]


def keys_kept(store: MemoryStore, call: dict[str, Any]) -> None:
    call["forgotten"] = ()


def forgotten_where_known(store: MemoryStore, call: dict[str, Any]) -> None:
    known = {key.subject for key in log_of(store).vault.keys}
    call["forgotten"] = [s for s in call.get("forgotten", ()) if s in known]
