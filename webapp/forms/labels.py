"""How faults are told to people: in a sentence, with the name that the page shows."""

import re
from collections.abc import Sequence

LABELS = {
    "customer_id": "Customer number",
    "name": "Name",
    "email": "E-mail",
    "contact_name": "Contact",
    "phone": "Phone",
    "account_id": "Account",
    "from_account": "From account",
    "to_account": "To account",
    "amount": "Amount",
    "tracking_no": "Tracking number",
    "delivered_at": "Arrived",
    "reason": "Reason",
    "required_date": "Needed by",
    "freight": "Freight",
    "address.name": "Recipient",
    "address.street": "Street",
    "address.postal_code": "Postal code",
    "address.city": "City",
    "address.region": "Region",
    "address.country": "Country",
    "items": "Lines",
    "product": "product",
    "product_id": "article number",
    "quantity": "quantity",
    "unit_price": "unit price",
    "discount": "discount",
}

READ_MODELS = {
    "order_list": "list of orders",
    "order_details": "details of orders",
    "customers": "list of customers",
    "products": "list of products",
    "accounts": "list of accounts",
    "account_statement": "statement of accounts",
    "transfers": "list of transfers",
}
"""What the rows of a read model are on a page."""

STANDSTILLS = {
    "checkpoint": "they were read from another log, or their place in it was moved",
    "event": "something happened that this version of the program cannot read",
    "code": "the program has a fault",
    "keys": "a key to personal data is missing",
    "table": "a table was taken away",
    "rights": "the database refuses its reader a right",
    "database": "the database refuses to go on",
    "idle": "nothing reads what is new at the moment",
    "held back": "something that is being written does not come to an end",
    "missing": "what tells how far they are was taken away",
    "outdated": "they were made by another version of the program",
}
"""Why a read model stands still, as `eventstore/subscriptions` tells it."""

EVENTS = {
    "OrderCreated": "Order placed",
    "PaymentReceived": "Payment received",
    "OrderShipped": "Shipped",
    "DeliveryConfirmed": "Delivered",
    "OrderCancelled": "Cancelled",
    "PaymentRefunded": "Payment refunded",
    "AccountOpened": "Account opened",
    "MoneyDeposited": "Money paid in",
    "DepositRejected": "Money refused",
    "MoneyWithdrawn": "Money paid out",
    "WithdrawalRejected": "Money not paid out",
    "WithdrawalReturned": "Money returned",
    "AccountClosed": "Account closed",
    "TransferRequested": "Transfer requested",
    "TransferStepAbandoned": "Step given up",
    "TransferCompleted": "Transfer completed",
    "TransferCompensated": "Transfer compensated",
    "CustomerRegistered": "Customer registered",
    "CustomerDetailsChanged": "Details changed",
    "CustomerForgotten": "Forgotten",
}

MOVEMENTS = {
    "deposit": "Paid in",
    "withdrawal": "Paid out",
    "received": "Received",
    "sent": "Sent",
    "returned": "Came back",
    "refund": "Refund",
    "refused": "Refused",
}


def sentence(field: str, problem: str) -> str:
    """Return what is wrong with *field* as a list of faults says it."""
    return word(label(field), problem)


def sentence_beside(field: str, problem: str) -> str:
    """Return the same as the field itself says it, where its line is plain."""
    name = field.rpartition(".")[2] if field.startswith("items.") else field
    return word(LABELS.get(name, name).capitalize(), problem, is_beside=True)


def word(label: str, problem: str, *, is_beside: bool = False) -> str:
    # A problem that is a rule of the domain names it first, for programs.
    rule = re.match("[A-Z][A-Za-z]+: ", problem)
    if rule:
        return capital(problem[rule.end() :])
    if problem.startswith(("is ", "must ", "was ")):
        return f"{label} {problem}."
    return capital(problem) if is_beside else f"{label}: {problem}."


def prices_filled(products: Sequence[str]) -> str:
    """Return the sentence that asks to look over prices that were not typed."""
    names = list(dict.fromkeys(products))
    last = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
    return (
        f"The price of {last} was left empty and is filled in as it was ordered last. "
        "Nothing was sent yet: look it over, then send it."
    )


def capital(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


def label(field: str) -> str:
    line = re.fullmatch(r"items\.([0-9]+)(?:\.(\w+))?", field)
    if line is None:
        return LABELS[field].capitalize() if field in LABELS else field
    number = f"Line {int(line[1]) + 1}"
    return f"{number}, {LABELS.get(line[2], line[2])}" if line[2] else number
