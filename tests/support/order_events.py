"""What the commands of `tests.support.desk` lead to, and the rules of orders."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from domain.customers.customer import Customer
from domain.customers.events import CustomerDetails
from domain.orders import events
from domain.orders.lines import Line, LineQuantity
from domain.orders.order import decide
from domain.orders.state import Order, evolve
from eventstore.testing.specification import Specification
from tests.support.desk import CHRISTMAS, LONDON, ONE_CLOCK, PARIS

order_rules = Specification(initial=Order(), decide=decide, evolve=evolve)
order = order_rules.reading(customer=Customer(CustomerDetails(name="Alice")))

CLOCKS = Line(number=1, product="RETRO-CLOCK", quantity=2, unit_price=4_950)
LAMPS = Line(number=2, product="LAMP", quantity=1, unit_price=999)
ONE_LAMP = LineQuantity(line=2, quantity=1)

placed = events.OrderCreated(
    customer_id="ALICE",
    items=(CLOCKS, LAMPS),
    discount=Decimal(0),
    freight=0,
    total=10_899,
    terms=None,
    address=LONDON,
    currency="EUR",
)
placed_on_account = replace(placed, terms=14)
more_clocks = events.OrderItemsChanged(
    items=(replace(CLOCKS, quantity=3), LAMPS),
    discount=Decimal(0),
    freight=0,
    total=15_849,
    is_shipped=False,
    is_returned=False,
)
moved = events.ShippingAddressChanged(customer_id="ALICE", address=PARIS)
paid = events.PaymentReceived(payment=1, amount=10_899)
part_paid = events.PaymentReceived(payment=1, amount=5_000)
rest_paid = events.PaymentReceived(payment=2, amount=5_899)
voided = events.PaymentVoided(payment=1, amount=10_899)
shipped = events.OrderShipped(tracking_no="1Z-999")
clock_shipped = events.ParcelShipped(tracking_no="1Z-998", lines=(ONE_CLOCK,))
delivered = events.DeliveryConfirmed(delivered_at=CHRISTMAS)
clock_returned = events.OrderReturned(
    lines=(ONE_CLOCK,), freight=0, total=5_949, is_all=False
)
all_returned = events.OrderReturned(
    lines=(LineQuantity(line=1, quantity=2), ONE_LAMP), freight=0, total=0, is_all=True
)
cancelled = events.OrderCancelled(reason="bought it twice")
put_off_to_january = events.CancellationPutOff(until=date(2027, 1, 15))
refunded = events.PaymentRefunded(amount=10_899, currency="EUR", customer_id="ALICE")
noted = events.NoteAdded(customer_id="ALICE", text="Wants it wrapped.")
