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
    "PlaceFirstOrder": "orders.place_first",
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
OPERATE = "shop.operate"
"""To see how the processes of the shop are, and to mend what stands still."""
MANAGE_USERS = "users.manage"
"""To add users, give them roles, and end sessions and tokens of others."""
FILL_DEMO = "shop.demo"
"""To fill an empty shop with invented months."""

PERMISSIONS = (
    READING
    | {PERSONAL, OPERATE, MANAGE_USERS, FILL_DEMO}
    | frozenset(COMMANDS.values())
)

MEANINGS: Mapping[str, str] = {
    "orders.read": "see orders, products and figures",
    "customers.read": "see customers",
    "accounts.read": "see accounts, statements and transfers",
    "orders.place": "place orders",
    "orders.place_first": "register new customers with their first order",
    "orders.change": "change lines and addresses of orders, put off their cancelling",
    "orders.cancel": "cancel orders",
    "orders.note": "add notes to orders",
    "customers.write": "register customers and change their details",
    "products.write": "add, rename and discontinue products, change their prices",
    "orders.ship": "ship orders, correct tracking, note that they arrived",
    "orders.return": "note what comes back",
    "orders.pay": "note payments and take them back",
    "orders.refund": "refund payments",
    "accounts.manage": "open and close accounts",
    "accounts.pay": "pay in to accounts and out from them",
    "accounts.transfer": "transfer money between accounts",
    "commands.read": "see what others have sent, and what became of it",
    "events.read": "read the events of the log, what is personal masked",
    PERSONAL: "read what is personal in events",
    OPERATE: "see how the processes of the shop are, mend what stands still",
    "customers.forget": "forget customers for ever",
    FILL_DEMO: "fill an empty shop with the demo",
    MANAGE_USERS: "add users, give roles, end sessions and tokens of others",
}
"""What each permission allows, in words after "may"."""

ROLES: Mapping[str, frozenset[str]] = {
    "admin": PERMISSIONS,
    "sales": frozenset(
        {
            "orders.read",
            "customers.read",
            "orders.place",
            "orders.place_first",
            "orders.change",
            "orders.cancel",
            "orders.note",
            "customers.write",
            "products.write",
        }
    ),
    "bookkeeper": frozenset(
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
    "operator": frozenset(
        {"orders.read", "accounts.read", "commands.read", "events.read", OPERATE}
    ),
    "auditor": READING | {PERSONAL},
}
FORMER_ROLES: Mapping[str, str] = {"cashier": "bookkeeper"}
"""
The present names of roles that had others.

Users keep a role by its former name: a process of the version before knows no other.
"""

SCOPES: Mapping[str, frozenset[str]] = {
    "all": PERMISSIONS,
    "read": READING,
    **{permission: frozenset({permission}) for permission in sorted(PERMISSIONS)},
}
"""A token's scopes: all permissions of its user, reading, or single permissions."""


def permissions_of(roles: Collection[str]) -> frozenset[str]:
    """Return the permissions of *roles*; an unknown role has none."""
    return frozenset().union(
        *(ROLES.get(present_name(role), frozenset()) for role in roles)
    )


def present_name(role: str) -> str:
    """Return the present name of *role*, which may be a former one."""
    return FORMER_ROLES.get(role, role)


def roles_with(permission: str) -> list[str]:
    """Return the names of the roles that have *permission*."""
    return [role for role, permissions in ROLES.items() if permission in permissions]


def within(scopes: Collection[str]) -> frozenset[str]:
    """Return the permissions within *scopes*, an upper bound of a token's."""
    return frozenset().union(*(SCOPES.get(scope, frozenset()) for scope in scopes))


def may_send(command_type: str, permissions: Collection[str]) -> bool:
    """Return whether *permissions* include the one for commands of a type."""
    return COMMANDS.get(command_type) in permissions


def may(command_type: str, sender: Sender) -> bool:
    """Return whether the sender's present roles permit a command of this type."""
    return may_send(command_type, permissions_of(sender.roles))
