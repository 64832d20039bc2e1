"""Where a webhook's requests go: its URL, in its parts."""

from dataclasses import dataclass
from urllib.parse import urlsplit

MAX_URL_LENGTH = 2_000
DEFAULT_PORTS = {"https": 443, "http": 80}


class BadUrl(ValueError):
    """A URL that no webhook can have; the message says why."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """A receiver's URL in its parts; *target* is path and query."""

    scheme: str
    host: str
    port: int
    target: str


def parse_url(url: str) -> Receiver:
    """Return the parts of the URL of a webhook. Raises BadUrl."""
    if not (url.isascii() and url.isprintable() and " " not in url):
        raise BadUrl("a URL has only ASCII characters, and no spaces: encode them")
    if len(url) > MAX_URL_LENGTH:
        raise BadUrl(f"a URL has at most {MAX_URL_LENGTH} characters")
    try:
        parts = urlsplit(url)
        port = parts.port
        # The resolver does so, too, and refuses labels that are empty or too long.
        (parts.hostname or "").encode("idna")
    except ValueError as error:
        raise BadUrl(f"this is no URL: {error}") from error
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise BadUrl("a URL begins with https:// and a name")
    if "@" in parts.netloc:
        raise BadUrl("a URL has no user and no password: requests are signed")
    if parts.fragment:
        raise BadUrl("a URL has no fragment: it would not be sent")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Receiver(
        scheme=parts.scheme,
        host=parts.hostname,
        port=DEFAULT_PORTS[parts.scheme] if port is None else port,
        target=target,
    )
