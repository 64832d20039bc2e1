"""The rules of a customer."""

from domain.address import Address
from domain.customers.commands import ChangeCustomerDetails, RegisterCustomer
from domain.customers.customer import (
    Customer,
    CustomerAlreadyRegistered,
    EmailAlreadyRegistered,
    UnknownCustomer,
    claims,
    evolve,
)
from domain.customers.deciding import decide
from domain.customers.events import CustomerDetailsChanged, CustomerRegistered
from eventstore.testing.specification import Specification

BERLIN = Address(street="Obere Str. 57", city="Berlin", country="Germany")

register = RegisterCustomer(
    customer_id="ALFKI",
    name="Alfreds Futterkiste",
    email="maria@alfreds.example",
    contact_name="Maria Anders",
    phone="030-0074321",
    address=BERLIN,
)
registered = CustomerRegistered(
    name="Alfreds Futterkiste",
    email="maria@alfreds.example",
    contact_name="Maria Anders",
    phone="030-0074321",
    address=BERLIN,
)

customer = Specification(initial=Customer(), decide=decide, evolve=evolve)


def test_somebody_is_registered() -> None:
    customer.given().when(register).then(registered)


def test_a_name_is_enough() -> None:
    customer.given().when(RegisterCustomer(name="Bob")).then(
        CustomerRegistered(name="Bob")
    )


def test_a_customer_is_registered_once() -> None:
    customer.given(registered).when(register).then_rejected(
        CustomerAlreadyRegistered, "ALFKI"
    )


change = ChangeCustomerDetails(customer_id="ALFKI", name="Alfreds Feinkost")
changed = CustomerDetailsChanged(name="Alfreds Feinkost")


def test_details_are_written_down_anew() -> None:
    customer.given(registered).when(change).then(changed)


def test_the_same_details_again_change_nothing() -> None:
    customer.given(registered, changed).when(change).then_nothing()


def test_somebody_unknown_has_no_details() -> None:
    customer.given().when(change).then_rejected(UnknownCustomer, "ALFKI")


def claimed(*events: CustomerRegistered | CustomerDetailsChanged) -> list[str]:
    return [claim.value for claim in claims(customer.given(*events).state)]


def test_a_customer_claims_the_address_they_have_now() -> None:
    moved = CustomerDetailsChanged(name="Alfreds", email="info@alfreds.example")

    assert claimed(registered, moved) == ["info@alfreds.example"]


def test_a_customer_without_an_address_claims_nothing() -> None:
    assert claimed(registered, changed) == claimed() == []


def test_an_address_is_the_same_however_it_is_written() -> None:
    loud = CustomerRegistered(name="Maria", email=" MARIA@Alfreds.EXAMPLE ")

    assert claimed(loud) == claimed(registered)


def test_the_refusal_of_an_address_does_not_tell_whose_it_is() -> None:
    (claim,) = claims(customer.given(registered).state)

    assert claim.taken is EmailAlreadyRegistered
    assert EmailAlreadyRegistered().figures == {}
