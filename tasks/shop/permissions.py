"""
The permission that each command needs, and the permissions of each role.

What is not in these tables is forbidden. The roles of users are data, see
`eventstore.access`; the permissions of roles are code, like the commands.
"""

from collections.abc import Collection, Mapping

from eventstore.access.senders import Sender

COMMANDS: Mapping[str, str] = {
    "RegisterCustomer": "customers.write",
    "ChangeCustomerDetails": "customers.write",
    "ForgetCustomer": "customers.forget",
    "AddProduct": "products.write",
    "ChangePrice": "products.write",
    "RenameProduct": "products.write",
    "DiscontinueProduct": "products.write",
    "PlaceOrder": "orders.place",
    "ChangeItems": "orders.change",
    "ChangeAddress": "orders.change",
    "PutOffCancellation": "orders.change",
    "AddNote": "orders.note",
    "ReceivePayment": "orders.pay",
    "VoidPayment": "orders.pay",
    "ShipOrder": "orders.ship",
    "ShipParcel": "orders.ship",
    "CorrectTracking": "orders.ship",
    "ConfirmDelivery": "orders.ship",
    "ReturnOrder": "orders.return",
    "CancelOrder": "orders.cancel",
    "RefundPayment": "orders.refund",
    "OpenAccount": "accounts.manage",
    "CloseAccount": "accounts.manage",
    "Deposit": "accounts.pay",
    "Withdraw": "accounts.pay",
    "TransferMoney": "accounts.transfer",
}
"""
The permission that each type of command needs.

Only our own processes may send types that are not here.
"""

READING = frozenset(
    {
        "orders.read",
        "customers.read",
        "accounts.read",
        "commands.read",
        "events.read",
    }
)
"""`commands.read` is for others' commands: a sender may always read its own."""
PERSONAL = "personal"
"""To read personal fields of events; not for all readers: copies are not forgotten."""

PERMISSIONS = READING | {PERSONAL} | frozenset(COMMANDS.values())

ROLES: Mapping[str, frozenset[str]] = {
    "admin": PERMISSIONS,
    "sales": frozenset(
        {
            "orders.read",
            "customers.read",
            "orders.place",
            "orders.change",
            "orders.cancel",
            "orders.note",
            "customers.write",
            "products.write",
        }
    ),
    "cashier": frozenset(
        {
            "orders.read",
            "customers.read",
            "accounts.read",
            "orders.pay",
            "orders.refund",
            "orders.note",
            "accounts.manage",
            "accounts.pay",
            "accounts.transfer",
        }
    ),
    "warehouse": frozenset(
        {"orders.read", "orders.ship", "orders.return", "orders.note"}
    ),
    "auditor": READING | {PERSONAL},
}

SCOPES: Mapping[str, frozenset[str]] = {
    "all": PERMISSIONS,
    "read": READING,
    **{permission: frozenset({permission}) for permission in sorted(PERMISSIONS)},
}
"""A token's scopes: all permissions of its user, reading, or single permissions."""


def permissions_of(roles: Collection[str]) -> frozenset[str]:
    """Return the permissions of *roles*; an unknown role has none."""
    return frozenset().union(*(ROLES.get(role, frozenset()) for role in roles))


def within(scopes: Collection[str]) -> frozenset[str]:
    """Return the permissions within *scopes*, an upper bound of a token's."""
    return frozenset().union(*(SCOPES.get(scope, frozenset()) for scope in scopes))


def may_send(command_type: str, permissions: Collection[str]) -> bool:
    """Return whether *permissions* include the one for commands of a type."""
    return COMMANDS.get(command_type) in permissions


def may(command_type: str, sender: Sender) -> bool:
    """Return whether the sender's present roles permit a command of this type."""
    return may_send(command_type, permissions_of(sender.roles))
