"""How many files a command is in: the commands of a shop's whole day, by rooms."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.databases import ROOT

OWN_NAMES: Mapping[str, Sequence[str]] = {
    "ChangeItems": (
        *("OrderItemsChanged", "ChangedItem"),
        *("LineNamedTwice", "LineAlreadyShipped"),
    ),
    "ChangeAddress": ("ShippingAddressChanged", "WrongCustomer"),
    "VoidPayment": (
        *("PaymentVoided", "PaymentNumber", "UnknownPayment"),
        *("PaymentAlreadyVoided", "PaymentAlreadyRefunded"),
    ),
    "ShipParcel": ("ParcelShipped", "ParcelAlreadyShipped", "QuantityTooHigh"),
    "CorrectTracking": ("TrackingCorrected", "ParcelNumber", "UnknownParcel"),
    "ReturnOrder": ("OrderReturned", "NothingToReturn"),
    "PutOffCancellation": ("CancellationPutOff", "NothingToPutOff"),
    "AddNote": ("NoteAdded", "NoteLine"),
    "AddProduct": ("ProductAdded", "ProductAlreadyAdded", "NumberNotGiven"),
    "ChangePrice": ("PriceChanged",),
    "RenameProduct": ("ProductRenamed",),
    "DiscontinueProduct": ("ProductDiscontinued", "ProductIsDiscontinued"),
}
"""The classes that came with each command: its event, its rules, its kinds of field."""

ROOMS = {
    "Domain": "domain",
    "Permission": "tasks/shop/permissions.py",
    "Form": "webapp",
    "Read models": "readmodels",
}


def files_of(room: str) -> list[Path]:
    below = ROOT / room
    return (
        [below] if below.is_file() else [*below.rglob("*.py"), *below.rglob("*.html")]
    )


def count(names: Sequence[str], files: Sequence[Path]) -> int:
    """Return how many of *files* have one of *names*."""
    pattern = re.compile(rf"\b(?:{'|'.join(names)})\b")
    return sum(pattern.search(file.read_text()) is not None for file in files)


def counts() -> list[list[str]]:
    """Return a row for each command: its name, and files by room."""
    rooms = [files_of(room) for room in ROOMS.values()]
    return [
        [f"`{command}`", *(str(count([command, *own], files)) for files in rooms)]
        for command, own in OWN_NAMES.items()
    ]
