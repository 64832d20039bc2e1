"""What the command line says where the database is away, or says no."""

from psycopg import OperationalError as Away
from psycopg.errors import InsufficientPrivilege
from sqlalchemy.exc import OperationalError, ProgrammingError


def reason_of(error: Exception) -> str | None:
    """Return an error as a line for an operator; None for one that is a bug."""
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
