"""Commands of an order desk with telling values, as objects."""

from collections.abc import Callable
from datetime import UTC, datetime

from domain.address import Address
from domain.customers import commands as customers
from domain.orders import commands as orders

LONDON = Address(street="12 Orchestra Terrace", city="London", country="UK")
CLOCK = orders.Item(product="RETRO-CLOCK", quantity=2, unit_price=4_950)
LAMP = orders.Item(product="LAMP", quantity=1, unit_price=999)

alice = customers.RegisterCustomer(
    customer_id="ALICE", name="Alice", email="alice@example.com"
)
bob = customers.RegisterCustomer(customer_id="BOB", name="Bob")
rename = customers.ChangeCustomerDetails(
    customer_id="ALICE", name="Alice Retro", email="retro@example.com"
)
place = orders.PlaceOrder(
    customer_id="ALICE", items=(CLOCK, LAMP), address=LONDON, currency="EUR"
)
pay = orders.ReceivePayment(order_id=1, amount=10_899)
ship = orders.ShipOrder(order_id=1, tracking_no="1Z-999")
CHRISTMAS = datetime(2026, 12, 24, tzinfo=UTC)
deliver = orders.ConfirmDelivery(order_id=1, delivered_at=CHRISTMAS)
forget = customers.ForgetCustomer(customer_id="ALICE")
cancel = orders.CancelOrder(order_id=1, reason="bought it twice")

Do = Callable[..., None]
