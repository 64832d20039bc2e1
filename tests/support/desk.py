"""Commands of an order desk with telling values, as objects."""

from collections.abc import Callable
from datetime import UTC, date, datetime

from domain.address import Address
from domain.customers import commands as customers
from domain.orders import commands as orders
from domain.orders.lines import LineQuantity
from domain.products import commands as products

LONDON = Address(street="12 Orchestra Terrace", city="London", country="UK")
PARIS = Address(street="25 rue Lauriston", city="Paris", country="France")
CLOCK = orders.Item(product="RETRO-CLOCK", quantity=2, unit_price=4_950)
LAMP = orders.Item(product="LAMP", quantity=1, unit_price=999)

alice = customers.RegisterCustomer(
    customer_id="ALICE", name="Alice", email="alice@example.com"
)
bob = customers.RegisterCustomer(customer_id="BOB", name="Bob")
rename = customers.ChangeCustomerDetails(
    customer_id="ALICE", name="Alice Retro", email="retro@example.com"
)
forget = customers.ForgetCustomer(customer_id="ALICE")

add_clock = products.AddProduct(
    product_id="RC-1", name="RETRO-CLOCK", unit_price=4_950, currency="EUR"
)
raise_price = products.ChangePrice(product_id="RC-1", unit_price=5_250)
rename_clock = products.RenameProduct(product_id="RC-1", name="RETRO-CLOCK II")
discontinue = products.DiscontinueProduct(product_id="RC-1")

place = orders.PlaceOrder(
    customer_id="ALICE", items=(CLOCK, LAMP), address=LONDON, currency="EUR"
)
ONE_CLOCK = LineQuantity(line=1, quantity=1)
three_clocks = orders.ChangeItems(
    order_id=1,
    items=(
        orders.ChangedItem(line=1, quantity=3),
        orders.ChangedItem(line=2, quantity=1),
    ),
)
to_paris = orders.ChangeAddress(order_id=1, customer_id="ALICE", address=PARIS)
pay = orders.ReceivePayment(order_id=1, amount=10_899)
pay_part = orders.ReceivePayment(order_id=1, amount=5_000)
void = orders.VoidPayment(order_id=1, payment=1)
ship = orders.ShipOrder(order_id=1, tracking_no="1Z-999")
ship_one_clock = orders.ShipParcel(order_id=1, tracking_no="1Z-998", lines=(ONE_CLOCK,))
correct_tracking = orders.CorrectTracking(order_id=1, parcel=1, tracking_no="1Z-990")
CHRISTMAS = datetime(2026, 12, 24, tzinfo=UTC)
deliver = orders.ConfirmDelivery(order_id=1, delivered_at=CHRISTMAS)
return_all = orders.ReturnOrder(order_id=1)
return_one_clock = orders.ReturnOrder(order_id=1, lines=(ONE_CLOCK,))
refund = orders.RefundPayment(order_id=1, amount=10_899)
cancel = orders.CancelOrder(order_id=1, reason="bought it twice")
cancel_unpaid = orders.CancelUnpaidOrder(order_id=1, days=30)
put_off = orders.PutOffCancellation(order_id=1, until=date(2027, 1, 15))
note = orders.AddNote(order_id=1, customer_id="ALICE", text="Wants it wrapped.")

Do = Callable[..., None]
