"""
What a statement's meaning rests on, and what the store wants it to be.

`ALTER DATABASE … SET`, `ALTER ROLE … SET`, a server's configuration and the variables
of libpq can set each of these. So each session sets them itself. A value that a session
has set is not changed by a configuration that is read again while the session lives.
"""

from collections.abc import Mapping

TOKEN = "recount.session"
"""A setting of our own: the session that one of us has opened carries it."""

PINS: Mapping[str, str] = {
    # How values look as text.
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    # In a zone whose offset once had seconds, old times were rounded to the minute.
    "TimeZone": "UTC",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "xmlbinary": "base64",
    "xmloption": "content",
    "quote_all_identifiers": "off",
    "lc_monetary": "C",
    "lc_numeric": "C",
    "lc_time": "C",
    "client_encoding": "UTF8",
    # How texts are read.
    "array_nulls": "on",
    "backslash_quote": "safe_encoding",
    "standard_conforming_strings": "on",
    "timezone_abbreviations": "Default",
    "default_text_search_config": "pg_catalog.simple",
    # What a statement does.
    "search_path": "public, pg_temp",
    "row_security": "on",
    "transform_null_equals": "off",
    "gin_fuzzy_search_limit": "0",
    "check_function_bodies": "on",
    "plpgsql.extra_errors": "none",
    "plpgsql.extra_warnings": "none",
    # What a transaction is. Readers need a snapshot for each statement.
    "default_transaction_isolation": "read committed",
    "default_transaction_read_only": "off",
    "default_transaction_deferrable": "off",
    # Who goes silent while idle is no fault of a session in a pool.
    "idle_session_timeout": "0",
    # A host that lost its power must not keep its streams for two hours.
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "5s",
}
LATER_PINS: Mapping[str, str] = {
    # Since PostgreSQL 17.
    "restrict_nonsystem_relation_kind": "",
    "transaction_timeout": "0",
}
NOT_TO_WAIT: Mapping[str, str] = {
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "5min",
}
"""Limits of a session that is given none."""
TO_READ_ONLY: Mapping[str, str] = {"default_transaction_read_only": "on"}
"""What a session that is only read by sets besides."""


def pins_for(server_version: int, limits: Mapping[str, str]) -> dict[str, str]:
    """
    Return what a session sets, by name.

    *server_version* is a number like 170002, and *limits* are the session's own, which
    go before all that is pinned here.
    """
    later = LATER_PINS if server_version >= 170000 else {}
    return {**PINS, **later, **NOT_TO_WAIT, **limits}


UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def seconds_of(limit: str) -> float | None:
    """
    Return the seconds of a timeout as PostgreSQL writes it; None is without end.

    It is a whole number with a unit, like `10s`; without a unit it is milliseconds.
    Raises ValueError for any other text.
    """
    number = limit.strip().rstrip("usmindh ")
    unit = limit.strip()[len(number) :].strip() or "ms"
    if unit not in UNITS:
        raise ValueError(f"no timeout of PostgreSQL: {limit}")
    return float(number) * UNITS[unit] or None
