"""The forms: which command each of them sends, and what it asks for."""

import re
from dataclasses import dataclass

LINE_NAME = re.compile(r"items\.([0-9]{1,4})\.([a-z_]+)")

ADDRESS = (
    "address.name",
    "address.street",
    "address.postal_code",
    "address.city",
    "address.region",
    "address.country",
)
DETAILS = ("name", "email", "contact_name", "phone", *ADDRESS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """
    A form for one command: its fields are named as the command's data is.

    What it *needs* is in the data even if nothing was typed for it, so that each
    field that is missing is named. What it is *about* stands in its address. One that
    *expects_version* is refused where somebody else changed what it shows. Its
    *buttons*, beside the one that sends it, change what is in it.
    """

    command: str
    endpoint: str
    title: str
    template: str
    fields: tuple[str, ...]
    line_fields: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    about: str | None = None
    expects_version: bool = False
    buttons: tuple[str, ...] = ()

    def place_of(self, name: str) -> tuple[int, int, int]:
        """Return what sorts a field where the page has it; lines come second."""
        line = LINE_NAME.fullmatch(name)
        if line:
            return 1, int(line[1]), place(line[2], self.line_fields)
        if name.startswith("items"):
            return 1, -1, 0
        return 2 * place(name, self.fields), 0, 0


def place(name: str, names: tuple[str, ...]) -> int:
    return names.index(name) if name in names else len(names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """The one field of a form that asks for no more; its name is the form's field."""

    type: str = "text"
    inputmode: str = ""
    has_unit: bool = False
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Action(Form):
    """What can be done with an order: a form with one field and a button."""

    template: str = "forms/order_action.html"
    about: str | None = "order_id"
    input: Input
    button: str
    is_grave: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountAction(Form):
    """What can be done with an account: a form with a button, and an amount or none."""

    template: str = "forms/account_action.html"
    about: str | None = "account_id"
    hint: str
    button: str


PLACE = Form(
    command="PlaceOrder",
    endpoint="orders.place",
    title="Place an order",
    template="forms/place_order.html",
    fields=("customer_id", *ADDRESS, "required_date", "freight", "discount"),
    line_fields=("product", "product_id", "quantity", "unit_price", "discount"),
    needs=("address",),
    buttons=("add_line", "remove_line", "fill_address"),
)
PAY = Action(
    command="ReceivePayment",
    endpoint="orders.payment",
    title="Payment of order {order_id}",
    fields=("amount",),
    input=Input(
        inputmode="decimal",
        has_unit=True,
        hint="What was received. It must be the order's total.",
    ),
    button="Note the payment",
)
SHIP = Action(
    command="ShipOrder",
    endpoint="orders.shipment",
    title="Ship order {order_id}",
    fields=("tracking_no",),
    input=Input(hint="As the carrier gives it."),
    button="It is shipped",
)
DELIVER = Action(
    command="ConfirmDelivery",
    endpoint="orders.delivery",
    title="Delivery of order {order_id}",
    fields=("delivered_at",),
    input=Input(type="datetime-local", hint="When it arrived, by the shop's clock."),
    button="It has arrived",
)
CANCEL = Action(
    command="CancelOrder",
    endpoint="orders.cancel",
    title="Cancel order {order_id}",
    fields=("reason",),
    input=Input(
        type="textarea",
        hint="It is kept with the order. A cancelled order stays in the list.",
    ),
    button="Cancel this order",
    is_grave=True,
)
REFUND = Action(
    command="RefundPayment",
    endpoint="orders.refund",
    title="Refund of order {order_id}",
    fields=("amount",),
    input=Input(
        inputmode="decimal",
        has_unit=True,
        hint="All that was paid, or a part. It goes to the customer's account.",
    ),
    button="Refund this",
    # Two who each give back a part, on the same page, would give back both.
    expects_version=True,
)
REGISTER = Form(
    command="RegisterCustomer",
    endpoint="customers.register",
    title="Register a customer",
    template="forms/customer.html",
    fields=("name", "customer_id", *DETAILS[1:]),
)
CHANGE = Form(
    command="ChangeCustomerDetails",
    endpoint="customers.change",
    title="Change customer {customer_id}",
    template="forms/customer.html",
    fields=DETAILS,
    about="customer_id",
    expects_version=True,
)
FORGET = Form(
    command="ForgetCustomer",
    endpoint="customers.forget",
    title="Forget customer {customer_id}",
    template="forms/forget.html",
    fields=(),
    about="customer_id",
)
OPEN = Form(
    command="OpenAccount",
    endpoint="accounts.opening",
    title="Open an account",
    template="forms/account.html",
    fields=("account_id",),
)
DEPOSIT = AccountAction(
    command="Deposit",
    endpoint="accounts.deposit",
    title="Pay in to account {account_id}",
    fields=("amount",),
    hint="What comes in.",
    button="Pay in",
)
WITHDRAW = AccountAction(
    command="Withdraw",
    endpoint="accounts.withdrawal",
    title="Pay out from account {account_id}",
    fields=("amount",),
    hint="What goes out: at most what is there.",
    button="Pay out",
)
CLOSE = AccountAction(
    command="CloseAccount",
    endpoint="accounts.closing",
    title="Close account {account_id}",
    fields=(),
    hint="It takes no money any more, but for what comes back to it.",
    button="Close this account",
)
TRANSFER = Form(
    command="TransferMoney",
    endpoint="transfers.asking",
    title="Transfer money",
    template="forms/transfer.html",
    fields=("from_account", "to_account", "amount"),
)
ACCOUNT_ACTIONS = (DEPOSIT, WITHDRAW, CLOSE)
ACTIONS = (PAY, SHIP, DELIVER, CANCEL, REFUND)
FORMS: tuple[Form, ...] = (
    PLACE,
    *ACTIONS,
    REGISTER,
    CHANGE,
    FORGET,
    OPEN,
    *ACCOUNT_ACTIONS,
    TRANSFER,
)
BUTTONS = frozenset(button for form in FORMS for button in form.buttons)
"""All buttons that change a form and send nothing."""
