"""The forms of the shop, each with its command's fields and the texts of its page."""

from collections.abc import Mapping

from domain.accounts.commands import CloseAccount, Deposit, OpenAccount, Withdraw
from domain.customers.commands import (
    ChangeCustomerDetails,
    ForgetCustomer,
    RegisterCustomer,
)
from domain.products.commands import (
    AddProduct,
    ChangePrice,
    DiscontinueProduct,
    RenameProduct,
)
from domain.transfers.commands import TransferMoney
from webapp.forms.form import Action, Form
from webapp.forms.of_orders import ADDRESS, OF_ORDERS

DETAILS = ("name", "email", "contact_name", "phone", *ADDRESS)

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
        replaces=True,
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

OF_PRODUCTS = (
    Form(
        command=AddProduct,
        endpoint="products.add",
        title="Add a product",
        noun_before="The product",
        participle="added",
        template="forms/product.html",
        fields=("name", "product_id", "unit_price"),
    ),
    Action(
        command=ChangePrice,
        about="product_id",
        endpoint="products.price",
        title="Price of product {product_id}",
        hint="From now on. Orders keep the prices that they have.",
        button="Change the price",
        noun="The price of product {about}",
        participle="changed",
        expects_version=True,
        replaces=True,
        is_offered=lambda product: product.discontinued_at is None,
        suggest=lambda product: {"unit_price": product.unit_price},
    ),
    Action(
        command=RenameProduct,
        about="product_id",
        endpoint="products.name",
        title="Name of product {product_id}",
        hint="From now on. Orders keep the names that they have.",
        button="Change the name",
        noun="The name of product {about}",
        participle="changed",
        expects_version=True,
        replaces=True,
        is_offered=lambda product: product.discontinued_at is None,
        suggest=lambda product: {"name": product.name},
    ),
    Action(
        command=DiscontinueProduct,
        about="product_id",
        endpoint="products.ending",
        title="Discontinue product {product_id}",
        hint="No further order can name it. Added again, it is back on the list.",
        button="Discontinue it",
        is_grave=True,
        participle="discontinued",
        is_offered=lambda product: product.discontinued_at is None,
    ),
)

FORMS: Mapping[str, Form] = {
    form.command_type: form
    for form in (*OF_ORDERS, *OF_CUSTOMERS, *OF_PRODUCTS, *OF_ACCOUNTS)
}
"""All forms, by the type of their command."""

BUTTONS = frozenset(button for form in FORMS.values() for button in form.buttons)
"""The buttons that change a form without sending it."""
