"""A postal address; an order stores a copy, so that later changes do not affect it."""

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
