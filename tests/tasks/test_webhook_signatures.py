"""Signatures of webhooks, as the specification's own libraries make them."""

import base64

import pytest

from tasks.webhooks.signing import format_secret, new_secret, sign

# Of `test_sign_function` in the reference libraries of standard-webhooks, in each of
# their languages: github.com/standard-webhooks/standard-webhooks.
SECRET = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
TIMESTAMP = 1_614_265_330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_signature_is_that_of_the_specifications_test_vector() -> None:
    assert sign([SECRET], ID, TIMESTAMP, BODY) == {
        "webhook-id": ID,
        "webhook-timestamp": "1614265330",
        "webhook-signature": SIGNATURE,
    }


def test_two_secrets_make_two_signatures_in_one_header() -> None:
    headers = sign([new_secret(), SECRET], ID, TIMESTAMP, BODY)
    first, second = headers["webhook-signature"].split(" ")

    assert second == SIGNATURE
    assert first.startswith("v1,")
    assert first != second


@pytest.mark.parametrize(
    ("message_id", "timestamp", "body"),
    [("msg_other", TIMESTAMP, BODY), (ID, TIMESTAMP + 1, BODY), (ID, TIMESTAMP, b"")],
)
def test_a_signature_covers_id_time_and_body(
    message_id: str, timestamp: int, body: bytes
) -> None:
    signed = sign([SECRET], message_id, timestamp, body)

    assert signed["webhook-signature"] != SIGNATURE


def test_a_secret_is_written_as_the_specification_wants_it() -> None:
    assert format_secret(SECRET) == "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    assert 24 <= len(new_secret()) <= 64
    assert new_secret() != new_secret()
