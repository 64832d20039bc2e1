"""
An event store on PostgreSQL: a log, a journal of commands, and readers of the log.

It knows no domain: an application brings its own deciders and events, and calls
`install` once. What is named here is public, and stays; what is not may change.
`docs/tutorial.md` makes an application of it.

These names mean the same everywhere, and a docstring does not repeat it:

    stream_id   text, `category-id`, like `order-10248`, at most 255 characters
    category    text before the first hyphen of a stream id: small letters, digits, _
    type        text: the class name of an event or a command, as it is stored
    event_type  text: the same, of an event
    schema      text, `major.minor`: the version of an event's shape
    major       the number before the point of a schema, from 1
    data        JSON of an event or a command: text, or a dict of its fields once read
    position    number of an event in the log: from 1, rising, with gaps
    version     number of an event in its stream: from 1, without gaps; 0 if it is empty
    limit       number of events or rows that are returned at most
    actor       text that names a person or a program, as the application knows them
    principal   text that names the sender of a command, as the application knows them
    subject     stream id of the person whom personal fields are about
    secret      bytes that only the application knows, 32 or more of chance
    scope       name of a kind of claimed value, like `email`
    keyed_hash  the hash of a claimed value: 32 bytes of HMAC-SHA-256

These errors are raised by everything that reads events, commands or snapshots; a
docstring does not repeat that either:

    UnknownEventType, UnknownCommandType, NewerSchema, UpcasterFailed, UnreadableEvent:
        the stored data do not fit the classes of this code;
    MasterKeyMissing, WrongMasterKey, KeyLost, TamperedEnvelope:
        personal fields cannot be decrypted.

An error of the database itself, and a lost connection, is a psycopg.Error.
"""

from eventstore.access.senders import Sender
from eventstore.aggregates.as_of import AsOf, load_as_of, read_as_of, versions_as_of
from eventstore.aggregates.command_handler import Outcome, handle
from eventstore.aggregates.decider import Decider, Deciders, category_of
from eventstore.aggregates.loading import Streams, load
from eventstore.ailment import Ailment
from eventstore.claims import Claim, ClaimChange, ClaimKey
from eventstore.connection import Connection, one_moment
from eventstore.database.doctor import diagnose
from eventstore.database.installation import install
from eventstore.encryption.keys import MasterKeys
from eventstore.errors import (
    AlreadyClaimed,
    BadCursor,
    CannotProject,
    CheckpointNotInLog,
    Clash,
    CommandAlreadyFinished,
    ContradictedExport,
    CopyDropped,
    EventStoreError,
    InstalledOtherwise,
    InternalCommand,
    KeyMadeElsewhere,
    KeyReused,
    LiveRowsBehind,
    MomentAhead,
    NoFoldVersion,
    NoSuchKeptLog,
    NoSuchVersion,
    NothingSealed,
    NotSettled,
    ReaderEnded,
    ReaderStopped,
    ReadModelBehind,
    ReadModelOutdated,
    RebuildFailed,
    RebuildRunning,
    RewriteRefused,
    RolesMissing,
    TooIntertwined,
    UndeclaredField,
    UnknownColumn,
    UnknownReadModel,
    UnreadableExport,
    VersionsMissing,
    WrongExpectedVersion,
)
from eventstore.errors.following import ChangesBegunAgain, NotFollowed
from eventstore.errors.rebuilding import (
    FillingBrokeOff,
    NothingKept,
    RowsDiffer,
    RowsNotCompared,
    ViewInUse,
)
from eventstore.errors.stores import (
    CopyMoved,
    OutdatedWriter,
    StoreAway,
    Unanswerable,
)
from eventstore.errors.unreadable import (
    BadUpcasters,
    CorruptSnapshot,
    KeyLost,
    MasterKeyMissing,
    NewerSchema,
    TamperedEnvelope,
    UnkeepableState,
    UnknownCommandType,
    UnknownEventType,
    UnreadableEvent,
    UpcasterFailed,
    WrongMasterKey,
)
from eventstore.errors.unstorable import (
    BadStreamId,
    BadTypeName,
    NotANumber,
    TooLarge,
    TooManyBytes,
    TooManyEvents,
    TooManyStreams,
    Unstorable,
    UnstorableText,
)
from eventstore.explaining.explanation import ColumnChange, Explanation
from eventstore.explaining.row_preview import RowPreview, preview_row
from eventstore.explaining.why import Question, explain
from eventstore.ids import command_id_for, event_id_for
from eventstore.journal.accept import AcceptedCommand, accept
from eventstore.journal.drain import drain
from eventstore.journal.effects import Effect, FollowUp, find_effects
from eventstore.journal.entries import Entry
from eventstore.journal.entries import find as find_command
from eventstore.journal.finishing import DrainResult
from eventstore.journal.operator_actions import tell_abandoned
from eventstore.journal.preview import (
    CommandPreview,
    PreviewedEvent,
    preview_command,
)
from eventstore.journal.runner import FinishedCommand, Limits, Runner
from eventstore.log.append import ANY_VERSION, NO_STREAM, STREAM_EXISTS, append
from eventstore.log.bulk_append import append_bulk, batches
from eventstore.log.causation import find_event, read_conversation
from eventstore.log.codec import EventCodec
from eventstore.log.events import AppendedEvent, Metadata, NewEvent, RecordedEvent
from eventstore.log.read import read_all, read_stream, scan, scan_back, settled
from eventstore.log.schema_compatibility import UnrecordedClass, examine
from eventstore.log.upcasting import Upcaster, Upcasters, VersionedData
from eventstore.personal.keyring import Keyring
from eventstore.postgres import PostgresStore
from eventstore.projections.catch_up_now import catch_up_now
from eventstore.projections.changes import (
    ChangesCursor,
    ChangesPage,
    RowChange,
    read_changes,
)
from eventstore.projections.following import follow, unfollow
from eventstore.projections.parked_streams import (
    ParkedStream,
    drop_parked,
    find_parked,
)
from eventstore.projections.parking import Parker
from eventstore.projections.projection import Fact, Index, Lookup, Projection, Update
from eventstore.projections.table_differences import DifferenceCounts, RowDifference
from eventstore.projections.views import Page, Search, View
from eventstore.rebuilding.comparing import Comparison
from eventstore.rebuilding.one_row import RecomputedRow, recompute_row
from eventstore.rebuilding.rebuild import rebuild
from eventstore.rebuilding.result import Rebuilt
from eventstore.rebuilding.retrying import RetryResult, retry_parked
from eventstore.rebuilding.rollback import RolledBack, roll_back
from eventstore.rewriting.archived_logs import KeptLog, drop_kept, find_kept
from eventstore.rewriting.rewrite import (
    RewritePreview,
    RewriteResult,
    rehearse,
    rewrite,
)
from eventstore.roles import ROLES, grant_rights
from eventstore.runtime.run import run
from eventstore.runtime.runtime import Runtime
from eventstore.runtime.waking import send, wake
from eventstore.seals.export import ExportedSeal, export_lines, read_export
from eventstore.seals.seals import Seal, find_origin, newest_seals, seal_log
from eventstore.store import NOW, Store
from eventstore.subscriptions.catch_up import CaughtUp, catch_up, lag
from eventstore.subscriptions.external_store import ForeignCheckpoint, read_on
from eventstore.subscriptions.follow_ups import PreviewedCommand, preview_follow_ups
from eventstore.subscriptions.lag import SubscriptionLag
from eventstore.subscriptions.process_manager import (
    ProcessManager,
    ProcessManagerRun,
    begin_acting,
    due_after,
    never_deployed,
)
from eventstore.subscriptions.snapshot_taker import (
    SnapshotPolicy,
    ensure_snapshot_taker,
    snapshot_taker,
)
from eventstore.subscriptions.standstill import Standstill
from eventstore.subscriptions.subscription import Subscription
from eventstore.testing.memory import MemoryStore
from eventstore.verifying.finding import Finding
from eventstore.verifying.verify import VerifyResult, verify

# The database.
__all__ = ["ROLES", "Ailment", "Connection", "diagnose", "grant_rights", "install"]
# The store, which an application's own code depends on.
__all__ += ["MemoryStore", "PostgresStore", "Store"]
# Events.
__all__ += ["AppendedEvent", "Metadata", "NewEvent", "RecordedEvent", "command_id_for"]
__all__ += ["event_id_for"]
# Appending.
__all__ += ["ANY_VERSION", "NO_STREAM", "STREAM_EXISTS", "append", "append_bulk"]
__all__ += ["batches"]
# Reading, today and as of then.
__all__ += ["NOW", "AsOf", "Effect", "FollowUp", "find_effects", "find_event", "load"]
__all__ += ["load_as_of", "read_all", "read_as_of", "read_conversation", "read_stream"]
__all__ += ["scan", "scan_back", "settled", "versions_as_of"]
# Shapes of events.
__all__ += ["EventCodec", "UnrecordedClass", "Upcaster", "Upcasters", "VersionedData"]
__all__ += ["examine"]
# Another log in the place of the log.
__all__ += ["KeptLog", "RewritePreview", "RewriteResult", "drop_kept", "find_kept"]
__all__ += ["rehearse", "rewrite"]
# Deciding.
__all__ += ["Claim", "ClaimChange", "ClaimKey", "Decider", "Deciders", "Outcome"]
__all__ += ["Streams", "category_of", "handle"]
# The journal: commands that are promised first, and done afterwards.
__all__ += ["AcceptedCommand", "DrainResult", "Entry", "Limits", "accept", "drain"]
__all__ += ["Runner", "Sender", "find_command", "tell_abandoned"]
# What a command would cause, before it is sent; nothing is written.
__all__ += ["CommandPreview", "PreviewedCommand", "PreviewedEvent", "RowPreview"]
__all__ += ["one_moment", "preview_command", "preview_follow_ups", "preview_row"]
# Personal data.
__all__ += ["Keyring", "MasterKeys"]
# Readers of the log.
__all__ += ["CaughtUp", "ForeignCheckpoint", "ProcessManager", "ProcessManagerRun"]
__all__ += ["due_after"]
__all__ += ["SnapshotPolicy", "Subscription", "begin_acting", "catch_up"]
__all__ += ["ensure_snapshot_taker", "lag", "never_deployed", "read_on"]
__all__ += ["snapshot_taker"]
# Read models.
__all__ += ["Fact", "Index", "Lookup", "Page", "Projection", "Rebuilt", "Search"]
__all__ += ["Update", "View", "catch_up_now", "rebuild"]
# What differs after a rebuild, and the way back.
__all__ += ["Comparison", "DifferenceCounts", "NothingKept", "RecomputedRow"]
__all__ += ["RolledBack", "RowDifference", "RowsDiffer", "ViewInUse", "recompute_row"]
__all__ += ["FillingBrokeOff", "RowsNotCompared", "roll_back"]
# Followers of their rows.
__all__ += ["ChangesBegunAgain", "ChangesCursor", "ChangesPage", "NotFollowed"]
__all__ += ["CopyMoved", "OutdatedWriter", "StoreAway", "Unanswerable"]
__all__ += ["RowChange", "follow", "read_changes", "unfollow"]
# Streams that a read model leaves out.
__all__ += ["ParkedStream", "Parker", "RetryResult", "drop_parked", "find_parked"]
__all__ += ["retry_parked"]
# Copies of the past.
__all__ += ["CopyDropped", "MomentAhead", "NoFoldVersion"]
# Why a value of a row is so.
__all__ += ["ColumnChange", "Explanation", "Question", "explain"]
# A program that keeps running.
__all__ += ["FinishedCommand", "Runtime", "Standstill", "SubscriptionLag", "run"]
__all__ += ["send", "wake"]
# Seals.
__all__ += ["ExportedSeal", "Finding", "Seal", "VerifyResult", "export_lines"]
__all__ += ["find_origin", "newest_seals", "read_export", "seal_log", "verify"]
# Errors.
__all__ += ["AlreadyClaimed", "BadCursor", "BadStreamId", "BadTypeName", "BadUpcasters"]
__all__ += ["CannotProject", "CheckpointNotInLog", "Clash", "CommandAlreadyFinished"]
__all__ += ["ContradictedExport", "CorruptSnapshot", "EventStoreError"]
__all__ += ["InstalledOtherwise", "InternalCommand", "KeyLost", "KeyMadeElsewhere"]
__all__ += ["KeyReused", "LiveRowsBehind", "MasterKeyMissing", "NewerSchema"]
__all__ += ["NoSuchKeptLog", "NoSuchVersion", "NotANumber", "NotSettled"]
__all__ += ["NothingSealed", "ReadModelBehind", "ReadModelOutdated"]
__all__ += ["RebuildFailed", "RebuildRunning"]
__all__ += ["RewriteRefused", "RolesMissing", "TamperedEnvelope", "TooLarge"]
__all__ += ["TooIntertwined", "TooManyBytes", "TooManyEvents", "TooManyStreams"]
__all__ += ["UnkeepableState"]
__all__ += ["ReaderEnded", "ReaderStopped", "UndeclaredField"]
__all__ += [
    "UnknownColumn",
    "UnknownCommandType",
    "UnknownEventType",
    "UnknownReadModel",
]
__all__ += ["UnreadableEvent", "UnreadableExport", "Unstorable", "UnstorableText"]
__all__ += ["UpcasterFailed", "VersionsMissing", "WrongExpectedVersion"]
__all__ += ["WrongMasterKey"]
