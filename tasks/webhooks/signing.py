"""Signatures of requests, as Standard Webhooks 1.0 says (scheme `v1`, symmetric)."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

PREFIX = "whsec_"
SECRET_BYTES = 32
"""The specification allows 24 to 64."""


def new_secret() -> bytes:
    """Return a new random secret."""
    return secrets.token_bytes(SECRET_BYTES)


def format_secret(secret: bytes) -> str:
    """Return *secret* as a receiver gets it."""
    return PREFIX + base64.b64encode(secret).decode()


def sign(
    secrets_in_force: Sequence[bytes], message_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """
    Return the headers of a request with a *body*, signed with each of the secrets.

    *timestamp* is that of the attempt, in seconds since 1970. A receiver accepts the
    request if one signature is right, so that it can change its secret at its time.
    """
    signed = f"{message_id}.{timestamp}.".encode() + body
    signatures = [
        base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
        for secret in secrets_in_force
    ]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{one}" for one in signatures),
    }
