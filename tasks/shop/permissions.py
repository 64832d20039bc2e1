"""
Who may do what: commands by the permission they want, permissions by the role.

What is not in these tables is allowed to nobody. Which user has which role is data, see
`eventstore.access`; what a role may stands here, beside the commands of this version.
"""

from collections.abc import Collection, Mapping

from eventstore.access.senders import Sender

COMMANDS: Mapping[str, str] = {
    "RegisterCustomer": "customers.write",
    "ChangeCustomerDetails": "customers.write",
    "ForgetCustomer": "customers.forget",
    "PlaceOrder": "orders.place",
    "ReceivePayment": "orders.pay",
    "ShipOrder": "orders.ship",
    "ConfirmDelivery": "orders.ship",
    "CancelOrder": "orders.cancel",
    "RefundPayment": "orders.refund",
    "OpenAccount": "accounts.manage",
    "CloseAccount": "accounts.manage",
    "Deposit": "accounts.pay",
    "Withdraw": "accounts.pay",
    "TransferMoney": "accounts.transfer",
}
"""
The permission that each type of command wants which users may send.

One that is not here our own processes may send, and nobody else.
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
"""`commands.read` is for those of others: what became of one's own, all may know."""
PERSONAL = "personal"
"""What is personal in events; not for all who read, since copies are not forgotten."""

PERMISSIONS = READING | {PERSONAL} | frozenset(COMMANDS.values())

ROLES: Mapping[str, frozenset[str]] = {
    "admin": PERMISSIONS,
    "sales": frozenset(
        {
            "orders.read",
            "customers.read",
            "orders.place",
            "orders.cancel",
            "customers.write",
        }
    ),
    "cashier": frozenset(
        {
            "orders.read",
            "customers.read",
            "accounts.read",
            "orders.pay",
            "orders.refund",
            "accounts.manage",
            "accounts.pay",
            "accounts.transfer",
        }
    ),
    "warehouse": frozenset({"orders.read", "orders.ship"}),
    "auditor": READING | {PERSONAL},
}

SCOPES: Mapping[str, frozenset[str]] = {
    "all": PERMISSIONS,
    "read": READING,
    **{permission: frozenset({permission}) for permission in sorted(PERMISSIONS)},
}
"""What a token can be for: all that its user may, reading, or single permissions."""


def permissions_of(roles: Collection[str]) -> frozenset[str]:
    """Return what these *roles* may; one that is not known here adds nothing."""
    return frozenset().union(*(ROLES.get(role, frozenset()) for role in roles))


def within(scopes: Collection[str]) -> frozenset[str]:
    """Return what a token with these *scopes* can be used for, by those who may."""
    return frozenset().union(*(SCOPES.get(scope, frozenset()) for scope in scopes))


def may_send(command_type: str, permissions: Collection[str]) -> bool:
    """Say whether *permissions* are enough for commands of a type."""
    return COMMANDS.get(command_type) in permissions


def may(command_type: str, sender: Sender) -> bool:
    """Say whether a command may be decided, by the roles its sender has now."""
    return may_send(command_type, permissions_of(sender.roles))
