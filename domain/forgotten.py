"""The values that replace personal data once the person is forgotten."""

from domain.address import Address

FORGOTTEN = "(forgotten)"

FORGOTTEN_ADDRESS = Address(street=FORGOTTEN, city=FORGOTTEN, country=FORGOTTEN)
