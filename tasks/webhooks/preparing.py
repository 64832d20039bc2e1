"""What is sent to a webhook of an open stream, put together in the main thread."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import psycopg

from eventstore.encryption.keys import WrappedKey
from eventstore.personal.keyring import Keyring
from tasks.shop.wiring import Shop
from tasks.webhooks.attempts import Attempt, Result
from tasks.webhooks.open_stream import OpenStream
from tasks.webhooks.posting import Answer
from tasks.webhooks.registry import Webhook
from tasks.webhooks.selection import Selection, UnreadableEvent
from tasks.webhooks.stored_secrets import unwrap_all


class Preparation(NamedTuple):
    """Makes the attempts of one turn of a webhook, with its secrets unwrapped."""

    shop: Shop
    webhook: Webhook
    selection: Selection
    secrets: Sequence[bytes]
    keyring: Keyring | None

    def attempt(self, opened: OpenStream) -> Attempt | Result:
        """
        Return the attempt for an open stream; the failure if its event is unreadable.

        Perhaps a newer version of the shop wrote it, and comes up soon.
        """
        stream = opened.event.stream_id
        try:
            messages = self.selection.messages_of(opened.event, self.keyring)
        except UnreadableEvent as error:
            answer = Answer("unreadable", f"this version cannot read it: {error}")
            return Result(stream, 0, answer, 0.0)
        return Attempt(
            stream,
            self.webhook.url,
            self.secrets,
            messages[opened.sent :],
            self.shop.settings.webhook_networks,
        )


def prepare(
    connection: psycopg.Connection[Any],
    shop: Shop,
    webhook: Webhook,
    selection: Selection,
    stored: Sequence[WrappedKey],
) -> Preparation:
    """
    Unwrap the *stored* secrets of a webhook, and lend it keys if it sees persons.

    Raises WrongMasterKey.
    """
    masters = shop.deciders.masters
    assert masters is not None
    keyring = Keyring(connection, masters) if webhook.is_personal else None
    secrets = unwrap_all(masters, stored)
    return Preparation(shop, webhook, selection, secrets, keyring)
