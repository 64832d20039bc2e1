"""The text of an error, fit to be stored and shown."""

import psycopg


def error_text(error: BaseException) -> str:
    """
    Return the text of *error*, without the values that a database puts into it.

    Stored errors are kept for long, and seen by many. Characters that cannot be stored
    as JSON are escaped.
    """
    if isinstance(error, psycopg.Error) and error.sqlstate:
        place = (error.diag.table_name, error.diag.column_name)
        named = [*filter(None, place), error.diag.constraint_name or ""]
        # In class 22 the message itself has the value: 'invalid input syntax: "…"'.
        sentence = "" if error.sqlstate[:2] == "22" else error.diag.message_primary
        text = " ".join(filter(None, [error.sqlstate, sentence, *named]))
    else:
        text = str(error)
    return text.encode(errors="backslashreplace").decode().replace("\0", "\\0")


def shorten(text: str) -> str:
    """Return a foreign text, shortened and in quotes, fit to be shown."""
    return ascii(text if len(text) <= 60 else f"{text[:57]}...")
