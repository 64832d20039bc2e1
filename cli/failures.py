"""The messages of the command line for errors of the database."""

from psycopg import OperationalError as Away
from psycopg.errors import InsufficientPrivilege
from sqlalchemy.exc import OperationalError, ProgrammingError

from eventstore.session_errors import UnfitSession
from tasks.shop.bad_setting import EX_CONFIG


def reason_of(error: Exception) -> str | None:
    """Return the message for an error, one line, or None if it is a bug."""
    if unfit_session_in(error) is not None:
        return str(unfit_session_in(error))
    if isinstance(error, OperationalError | Away):
        return f"PostgreSQL does not answer: {getattr(error, 'orig', error)}"
    refusal = getattr(error, "orig", error)
    if isinstance(error, ProgrammingError | InsufficientPrivilege) and isinstance(
        refusal, InsufficientPrivilege
    ):
        return (
            f"{refusal.diag.message_primary}. This login may not do that:"
            " OPERATOR_DATABASE_URL is to name an operator's, and"
            " ADMIN_DATABASE_URL the owner's."
        )
    return None


def status_of(error: Exception) -> int:
    """Return the exit status: 78 for a database that must not be used, else 1."""
    return EX_CONFIG if unfit_session_in(error) is not None else 1


def unfit_session_in(error: Exception) -> UnfitSession | None:
    """Return the session error in *error*, plain or wrapped by SQLAlchemy, or None."""
    cause = getattr(error, "orig", error)
    return cause if isinstance(cause, UnfitSession) else None
