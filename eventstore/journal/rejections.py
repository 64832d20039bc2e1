"""The journal's own rejections, without a decider."""

from eventstore.access.senders import Sender
from eventstore.aggregates.command_handler import Outcome
from eventstore.errors import InternalCommand

SUBJECT_FORGOTTEN = Outcome(
    status="rejected",
    error={
        "rule": "SubjectForgotten",
        "message": "Whom it is about was forgotten.",
        "figures": {},
    },
)
"""Of a command that cannot be decrypted any more: its subject was forgotten."""


def internal_command_rejection(command_type: str, actor: str) -> Outcome:
    """Return the rejection of an internal command sent by an *actor* that may not."""
    return Outcome(
        status="rejected",
        error={
            "rule": "NotAllowed",
            "message": str(InternalCommand(command_type)),
            "figures": {"user": actor, "roles": []},
        },
    )


def sender_rejection(command_type: str, sender: Sender) -> Outcome:
    """Return the rejection of a command that its sender may not send."""
    return Outcome(
        status="rejected",
        error={
            "rule": "NotAllowed",
            "message": f"{sender.user} may not send {command_type}, or not any more.",
            "figures": {"user": sender.user, "roles": sorted(sender.roles)},
        },
    )


def stale_version_rejection(expected: int | None, actual: int) -> Outcome:
    """Return the rejection of a command that was sent on another version."""
    return Outcome(
        status="rejected",
        error={
            "rule": "StaleVersion",
            "message": f"It is at version {actual}, not {expected}.",
            "figures": {"expected": expected, "actual": actual},
        },
    )
