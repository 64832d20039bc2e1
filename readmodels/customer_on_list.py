"""What the lines of the list of orders say of their customer."""

from dataclasses import dataclass

from domain.customers.events import CustomerDetails, CustomerForgotten
from domain.forgotten import FORGOTTEN
from eventstore.projections.projection import Fact, Lookup
from readmodels.row_words import words_of_customer, words_of_forgotten
from readmodels.rows_of_orders import customer_of


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerOnList:
    """What the lines say of their customer, and the words by which it is found."""

    customer_id: str
    name: str
    email: str | None
    words: str


def customer_on_list(row: CustomerOnList | None, fact: Fact) -> CustomerOnList:
    if isinstance(fact.event, CustomerForgotten):
        return CustomerOnList(
            customer_id=fact.subject,
            name=FORGOTTEN,
            email=None,
            words=words_of_forgotten(fact.subject),
        )
    event: CustomerDetails = fact.event
    return CustomerOnList(
        customer_id=fact.subject,
        name=event.name,
        email=event.email,
        words=words_of_customer(fact.subject, event),
    )


CUSTOMERS = Lookup(
    name="customers",
    row=CustomerOnList,
    key="customer_id",
    key_of=customer_of,
    fold=customer_on_list,
    category="customer",
)
