"""The forms of the shop, each with its command's fields and the texts of its page."""

from collections.abc import Mapping
from datetime import UTC, datetime

from domain.accounts.commands import CloseAccount, Deposit, OpenAccount, Withdraw
from domain.customers.commands import (
    ChangeCustomerDetails,
    ForgetCustomer,
    RegisterCustomer,
)
from domain.orders import commands as orders
from domain.transfers.commands import TransferMoney
from webapp.forms.form import Action, Form

ADDRESS = (
    "address.name",
    "address.street",
    "address.postal_code",
    "address.city",
    "address.region",
    "address.country",
)
DETAILS = ("name", "email", "contact_name", "phone", *ADDRESS)

OF_ORDERS = (
    Form(
        command=orders.PlaceOrder,
        endpoint="orders.place",
        title="Place an order",
        noun_before="The order",
        participle="placed",
        template="forms/place_order.html",
        fields=("customer_id", *ADDRESS, "required_date", "freight", "discount"),
        line_fields=("product", "product_id", "quantity", "unit_price", "discount"),
        needs=("address",),
        buttons=("add_line", "remove_line", "fill_address"),
    ),
    Action(
        command=orders.ReceivePayment,
        about="order_id",
        endpoint="orders.payment",
        title="Payment of order {order_id}",
        hint="What was received. It must be the order's total.",
        button="Note the payment",
        noun="The payment of order {about}",
        participle="noted",
        is_offered=lambda order: order.status == "pending" and order.total > 0,
        suggest=lambda order: {"amount": order.total},
    ),
    Action(
        command=orders.ShipOrder,
        about="order_id",
        endpoint="orders.shipment",
        title="Ship order {order_id}",
        hint="As the carrier gives it.",
        button="It is shipped",
        participle="shipped",
        # The order is free of charge: a payment of 0 is refused.
        is_offered=lambda order: order.status == ("paid" if order.total else "pending"),
    ),
    Action(
        command=orders.ConfirmDelivery,
        about="order_id",
        endpoint="orders.delivery",
        title="Delivery of order {order_id}",
        hint="When it arrived, by the shop's clock.",
        button="It has arrived",
        noun="The delivery of order {about}",
        participle="noted",
        is_offered=lambda order: order.status == "shipped",
        suggest=lambda order: {"delivered_at": datetime.now(UTC).isoformat()},
    ),
    Action(
        command=orders.CancelOrder,
        about="order_id",
        endpoint="orders.cancel",
        title="Cancel order {order_id}",
        hint="It is kept with the order. A cancelled order stays in the list.",
        button="Cancel this order",
        is_grave=True,
        participle="cancelled",
        is_offered=lambda order: order.status in ("pending", "paid"),
    ),
    Action(
        command=orders.RefundPayment,
        about="order_id",
        endpoint="orders.refund",
        title="Refund of order {order_id}",
        hint="All that was paid, or a part. It goes to the customer's account.",
        button="Refund this",
        # Without it, two users who see the same page would both refund a part.
        expects_version=True,
        noun="The refund of order {about}",
        participle="noted",
        is_offered=lambda order: (
            order.status == "cancelled" and order.refunded < order.paid
        ),
        suggest=lambda order: {"amount": order.paid - order.refunded},
    ),
)
OF_CUSTOMERS = (
    Form(
        command=RegisterCustomer,
        endpoint="customers.register",
        title="Register a customer",
        noun_before="The customer",
        participle="registered",
        template="forms/customer.html",
        fields=("name", "customer_id", *DETAILS[1:]),
    ),
    Form(
        command=ChangeCustomerDetails,
        about="customer_id",
        endpoint="customers.change",
        title="Change customer {customer_id}",
        participle="changed",
        template="forms/customer.html",
        fields=DETAILS,
        expects_version=True,
    ),
    Form(
        command=ForgetCustomer,
        about="customer_id",
        endpoint="customers.forget",
        title="Forget customer {customer_id}",
        participle="forgotten",
        template="forms/forget.html",
        fields=(),
    ),
)
OF_ACCOUNTS = (
    Form(
        command=OpenAccount,
        endpoint="accounts.opening",
        title="Open an account",
        participle="opened",
        template="forms/account.html",
        fields=("account_id",),
    ),
    Action(
        command=Deposit,
        about="account_id",
        endpoint="accounts.deposit",
        title="Pay in to account {account_id}",
        hint="What comes in.",
        button="Pay in",
        noun="The payment into account {about}",
        participle="noted",
        is_offered=lambda account: account.status == "open",
    ),
    Action(
        command=Withdraw,
        about="account_id",
        endpoint="accounts.withdrawal",
        title="Pay out from account {account_id}",
        hint="What goes out: at most what is there.",
        button="Pay out",
        noun="The payment from account {about}",
        participle="noted",
        is_offered=lambda account: account.status == "open" and account.balance > 0,
    ),
    Action(
        command=CloseAccount,
        about="account_id",
        endpoint="accounts.closing",
        title="Close account {account_id}",
        hint="It accepts no money any more, except money that is returned to it.",
        button="Close this account",
        participle="closed",
        is_offered=lambda account: account.status == "open" and account.balance == 0,
    ),
    Form(
        command=TransferMoney,
        endpoint="transfers.asking",
        title="Transfer money",
        participle="requested",
        template="forms/transfer.html",
        fields=("from_account", "to_account", "amount"),
    ),
)

FORMS: Mapping[str, Form] = {
    form.command_type: form for form in (*OF_ORDERS, *OF_CUSTOMERS, *OF_ACCOUNTS)
}
"""All forms, by the type of their command."""

BUTTONS = frozenset(button for form in FORMS.values() for button in form.buttons)
"""The buttons that change a form without sending it."""
