"""Looking for what must be gone: in dumps, queues and logs, in any form."""

import base64
import json
import os
import subprocess
from collections.abc import Iterable, Iterator

import sqlalchemy as sa

from embedded.binaries import postgres_binaries
from readmodels.phones import MARK, phone_words
from readmodels.words import words


def dump(url: str, *options: str) -> bytes:
    """Return all that is in the database, as `pg_dump` writes it."""
    plain = sa.make_url(url).set(drivername="postgresql")
    return subprocess.run(
        [
            postgres_binaries(os.environ) / "pg_dump",
            *options,
            plain.render_as_string(hide_password=False),
        ],
        check=True,
        capture_output=True,
    ).stdout


def count_hits(text: bytes, secrets: Iterable[str]) -> dict[str, int]:
    """Return how often each of *secrets* stands in *text*, in whatever form."""
    lowered = text.lower()
    return {
        secret: sum(
            max(text.count(form), lowered.count(form)) for form in forms_of(secret)
        )
        for secret in secrets
    }


def forms_of(secret: str) -> set[bytes]:
    return set(written(secret))


def written(secret: str) -> Iterator[bytes]:
    """Yield the forms of a text: plain, escaped, hexadecimal, base64."""
    plain = secret.encode()
    yield plain
    yield plain.lower()
    yield words(secret).encode()
    # As a telephone number is kept: its digits from one group to the end.
    for word in phone_words(secret):
        yield word.removeprefix(MARK).encode()
    yield json.dumps(secret)[1:-1].encode()
    yield plain.hex().encode()
    # In base64 a text looks different at each of three places.
    for skipped in range(3):
        padded = base64.b64encode(b"\0" * skipped + plain)
        yield padded[4 if skipped else 0 : -4]
