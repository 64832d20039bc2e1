"""Where something is sent: written into the order, so that it stays what it was."""

from dataclasses import dataclass

from domain.fields import Name, ShortText


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A postal address as people write it; not every one has a region or a code."""

    name: Name | None = None
    street: Name
    city: ShortText
    region: ShortText | None = None
    postal_code: ShortText | None = None
    country: ShortText
