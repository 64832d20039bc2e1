"""The rules of a customer."""

from domain.address import Address
from domain.customers.commands import RegisterCustomer
from domain.customers.customer import (
    Customer,
    CustomerAlreadyRegistered,
    decide,
    evolve,
)
from domain.customers.events import CustomerRegistered
from tests.support.specification import Specification

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
