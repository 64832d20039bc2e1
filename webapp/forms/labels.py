"""The labels of fields, events and faults on pages."""

import re

LABELS = {
    "customer_id": "Customer number",
    "email": "E-mail",
    "contact_name": "Contact",
    "account_id": "Account",
    "tracking_no": "Tracking number",
    "delivered_at": "Arrived",
    "required_date": "Needed by",
    "address.name": "Recipient",
    "items": "Lines",
    "product_id": "Product number",
    "with_freight": "Freight is given back, too",
    "terms": "Days to pay",
    "own": "not on the list",
    "text": "Note",
}
"""The labels of fields that have other names in the code."""

READ_MODELS = {
    "order_list": "list of orders",
    "order_details": "details of orders",
    "customers": "list of customers",
    "products": "price list",
    "ordered_products": "list of ordered products",
    "accounts": "list of accounts",
    "account_statement": "statement of accounts",
    "transfers": "list of transfers",
    "figures": "figures of all orders",
    "sales": "list of sales",
    "sold_lines": "list of sold products",
}
"""The names of a read model's rows on a page."""

STANDSTILLS = {
    "checkpoint": "they were read from another log, or their position was changed",
    "event": "this version of the program cannot read a newer event",
    "code": "the program has a fault",
    "keys": "a key to personal data is missing",
    "table": "a table was dropped",
    "rights": "the program lacks a right in the database",
    "disk": "the disk of the database is full",
    "database": "the database reports an error",
    "killed": "reading new events ended the program that read them",
    "idle": "no process is reading new events",
    "locked": "another program holds their position in the database",
    "held back": "an unfinished transaction holds them back",
    "missing": "their position was deleted",
    "outdated": "they were made by another version of the program",
    "cut off": "the shop's database is away",
}
"""Texts for the reasons of `eventstore/subscriptions` why a read model is stopped."""

STORES = {
    "primary": "the shop's own database",
    "replica": "a replica",
    "postgres": "a second database",
    "hot": "the cache",
    "search": "the search server",
    "documents": "the store of documents",
}
"""What pages call the stores that answer them."""

EVENTS = {
    "OrderCreated": "Order placed",
    "OrderItemsChanged": "Lines changed",
    "ShippingAddressChanged": "Address changed",
    "PaymentVoided": "Payment taken back",
    "OrderShipped": "Shipped",
    "OrderReturned": "Returned",
    "CancellationPutOff": "Cancelling put off",
    "DeliveryConfirmed": "Delivered",
    "OrderCancelled": "Cancelled",
    "MoneyDeposited": "Money paid in",
    "DepositRejected": "Money refused",
    "MoneyWithdrawn": "Money paid out",
    "WithdrawalRejected": "Money not paid out",
    "WithdrawalReturned": "Money returned",
    "TransferStepAbandoned": "Step given up",
    "CustomerDetailsChanged": "Details changed",
    "CustomerForgotten": "Forgotten",
}
"""The labels of events that have other names in the code."""

MOVEMENTS = {
    "deposit": "Paid in",
    "withdrawal": "Paid out",
    "received": "Received",
    "sent": "Sent",
    "returned": "Came back",
    "refund": "Refund",
    "refused": "Refused",
}


def event_label(event_type: str) -> str:
    """Return an event's label: `PaymentReceived` is "Payment received"."""
    words = re.sub("(?<=[a-z])(?=[A-Z])", " ", event_type)
    return EVENTS.get(event_type, words.capitalize())


def field_name(name: str) -> str:
    """Return a field's name within a sentence: `unit_price` is "unit price"."""
    return LABELS.get(name, name.rpartition(".")[2].replace("_", " "))


def sentence(field: str, problem: str) -> str:
    """Return the sentence about a fault of *field* for a list of faults."""
    return word(label(field), problem)


def sentence_beside(field: str, problem: str) -> str:
    """Return the text beside the field, which need not name it."""
    name = field.rpartition(".")[2] if field.startswith("items.") else field
    return word(field_name(name).capitalize(), problem, is_beside=True)


def word(label: str, problem: str, *, is_beside: bool = False) -> str:
    # A problem that is a rule of the domain names it first, for programs.
    rule = re.match("[A-Z][A-Za-z]+: ", problem)
    if rule:
        return capital(problem[rule.end() :])
    if problem.startswith(("is ", "must ", "was ", "has ")):
        return f"{label} {problem}."
    return capital(problem) if is_beside else f"{label}: {problem}."


def capital(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


def label(field: str) -> str:
    """Return a field's label on a page; of an order's lines with the line's number."""
    line = re.fullmatch(r"items\.([0-9]+)(?:\.(\w+))?", field)
    if line is None:
        return field_name(field).capitalize()
    number = f"Line {int(line[1]) + 1}"
    return f"{number}, {field_name(line[2])}" if line[2] else number
