"""The forms of orders, and what is suggested in them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from domain.forgotten import FORGOTTEN
from domain.orders import commands as orders
from readmodels.order_details import OrderDetailsView
from readmodels.order_parts import Line
from webapp.forms.form import Action, Form

ADDRESS = (
    "address.name",
    "address.street",
    "address.postal_code",
    "address.city",
    "address.region",
    "address.country",
)
UNSHIPPED = ("pending", "paid")


def owed(order: OrderDetailsView) -> int:
    """Return what is not paid of an order, which may be cancelled."""
    return order.total - order.paid + order.refunded


def can_be_shipped(order: OrderDetailsView) -> bool:
    is_paid = order.due == 0 or order.terms is not None
    return order.status in UNSHIPPED and is_paid


def is_known(order: OrderDetailsView) -> bool:
    """Return whether the order's customer was not forgotten."""
    return order.customer_name != FORGOTTEN


def to_ship(line: Line) -> int:
    return line.quantity - line.shipped


def to_return(line: Line) -> int:
    return line.shipped - line.returned


def payments_that_count(order: OrderDetailsView) -> Sequence[int]:
    return [p.payment for p in order.payments if p.voided_at is None]


def lines_to_ship(order: OrderDetailsView) -> Mapping[str, Any]:
    """Return the lines of a parcel with all that is left."""
    return lines_of(order, {line.number: to_ship(line) for line in order.lines})


def lines_to_return(order: OrderDetailsView) -> Mapping[str, Any]:
    """Return the lines that can come back, none of which is said to have."""
    left = {line.number: to_return(line) for line in order.lines}
    return lines_of(order, left, is_filled=False)


def lines_of(
    order: OrderDetailsView, left: Mapping[int, int], *, is_filled: bool = True
) -> Mapping[str, Any]:
    return {
        "lines": [
            {
                "line": line.number,
                "product": line.product,
                "left": left[line.number],
                "quantity": left[line.number] if is_filled else None,
            }
            for line in order.lines
            if left[line.number]
        ]
    }


def lines_and_money(order: OrderDetailsView) -> Mapping[str, Any]:
    """Return the lines of an order as they are, its discount and its freight."""
    return {
        "items": [
            {
                "line": line.number,
                "product": line.product,
                "quantity": line.quantity,
                "unit_price": line.unit_price,
                "discount": line.discount,
            }
            for line in order.lines
        ],
        "discount": order.discount,
        "freight": order.freight,
    }


OF_LINES = ("product", "own", "quantity", "unit_price", "discount")
MOVED = ("line", "product", "left", "quantity")
"""The fields of a line that names pieces of an order's line."""

OF_ORDERS = (
    Form(
        command=orders.PlaceOrder,
        endpoint="orders.place",
        title="Place an order",
        noun_before="The order",
        participle="placed",
        template="forms/place_order.html",
        fields=(
            "customer_id",
            *ADDRESS,
            "required_date",
            "terms",
            "freight",
            "discount",
        ),
        line_fields=OF_LINES,
        needs=("address",),
        buttons=("add_line", "remove_line", "fill_address", "check"),
    ),
    Action(
        command=orders.ReceivePayment,
        about="order_id",
        endpoint="orders.payment",
        title="Payment of order {order_id}",
        hint="What was received: all that is due, or a part of it.",
        link="Note a payment",
        button="Note the payment",
        noun="The payment of order {about}",
        participle="noted",
        # Two users who see the same page would both note the same payment.
        expects_version=True,
        is_offered=lambda order: owed(order) > 0,
        # Money for a cancelled order is noted, and hardly ever comes.
        is_next=lambda order: order.due > 0,
        suggest=lambda order: {"amount": owed(order)},
    ),
    Action(
        command=orders.ShipOrder,
        about="order_id",
        endpoint="orders.shipment",
        title="Ship order {order_id}",
        hint="As the carrier gives it. All that is left goes with it.",
        button="It is shipped",
        participle="shipped",
        is_offered=can_be_shipped,
    ),
    Action(
        command=orders.ShipParcel,
        about="order_id",
        endpoint="orders.parcel",
        title="Ship a part of order {order_id}",
        hint="The rest follows in another parcel.",
        link="Ship a part of it",
        button="This parcel is shipped",
        noun="A parcel of order {about}",
        participle="shipped",
        template="forms/parcel.html",
        own_fields=("tracking_no",),
        line_fields=MOVED,
        line_keys=("line", "product", "left"),
        line_shown=("product", "left"),
        lines_in="lines",
        stands_apart=True,
        expects_version=True,
        is_offered=lambda order: (
            can_be_shipped(order) and sum(map(to_ship, order.lines)) > 1
        ),
        suggest=lines_to_ship,
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
        command=orders.RefundPayment,
        about="order_id",
        endpoint="orders.refund",
        title="Refund of order {order_id}",
        hint="All that can be refunded, or a part. It goes to the customer's account.",
        button="Refund this",
        # Without it, two users who see the same page would both refund a part.
        expects_version=True,
        noun="The refund of order {about}",
        participle="noted",
        is_offered=lambda order: order.credit > 0,
        suggest=lambda order: {"amount": order.credit},
    ),
    Action(
        command=orders.ChangeItems,
        about="order_id",
        endpoint="orders.lines",
        title="Change the lines of order {order_id}",
        hint="Lines that are shipped cannot become fewer.",
        link="Change its lines",
        button="Change the lines",
        noun="The lines of order {about}",
        participle="changed",
        template="forms/change_items.html",
        own_fields=("freight", "discount"),
        line_fields=("line", *OF_LINES),
        stands_apart=True,
        expects_version=True,
        buttons=("add_line", "remove_line", "check"),
        is_offered=lambda order: order.status in UNSHIPPED,
        suggest=lines_and_money,
    ),
    Action(
        command=orders.ChangeAddress,
        about="order_id",
        endpoint="orders.address",
        title="Send order {order_id} to another address",
        hint="Until it is delivered.",
        link="Send it elsewhere",
        button="Change the address",
        noun="The address of order {about}",
        participle="changed",
        template="forms/change_address.html",
        own_fields=("customer_id", *ADDRESS),
        stands_apart=True,
        expects_version=True,
        is_offered=lambda order: (
            order.status in (*UNSHIPPED, "shipped") and is_known(order)
        ),
        suggest=lambda order: {
            "customer_id": order.customer_id,
            "address": asdict(order.address),
        },
    ),
    Action(
        command=orders.AddNote,
        about="order_id",
        endpoint="orders.note",
        title="Note on order {order_id}",
        hint="For colleagues: it is shown on this page, and nowhere else.",
        link="Add a note",
        button="Add the note",
        noun="The note on order {about}",
        participle="added",
        stands_apart=True,
        is_offered=is_known,
        suggest=lambda order: {"customer_id": order.customer_id},
    ),
    Action(
        command=orders.CorrectTracking,
        about="order_id",
        endpoint="orders.tracking",
        title="Correct a tracking number of order {order_id}",
        hint="Parcels are counted from 1.",
        link="Correct a tracking number",
        button="Correct it",
        noun="The tracking number of order {about}",
        participle="corrected",
        stands_apart=True,
        expects_version=True,
        is_offered=lambda order: (
            order.parcels and order.status in (*UNSHIPPED, "shipped")
        ),
        suggest=lambda order: {
            "parcel": len(order.parcels),
            "tracking_no": order.tracking_number,
        },
    ),
    Action(
        command=orders.ReturnOrder,
        about="order_id",
        endpoint="orders.return",
        title="What came back of order {order_id}",
        hint="What it cost is due no longer, or can be refunded.",
        link="Something came back",
        button="Note the return",
        noun="The return of order {about}",
        participle="noted",
        template="forms/return.html",
        own_fields=("with_freight",),
        line_fields=MOVED,
        line_keys=("line", "product", "left"),
        line_shown=("product", "left"),
        lines_in="lines",
        stands_apart=True,
        expects_version=True,
        is_offered=lambda order: any(map(to_return, order.lines)),
        suggest=lines_to_return,
    ),
    Action(
        command=orders.VoidPayment,
        about="order_id",
        endpoint="orders.void",
        title="Take back a payment of order {order_id}",
        hint="A mistake, or it bounced. Payments are counted from 1.",
        link="Take a payment back",
        button="Take the payment back",
        noun="The payment of order {about}",
        participle="taken back",
        stands_apart=True,
        expects_version=True,
        is_offered=lambda order: bool(payments_that_count(order)),
        suggest=lambda order: {"payment": payments_that_count(order)[-1]},
    ),
    Action(
        command=orders.PutOffCancellation,
        about="order_id",
        endpoint="orders.put_off",
        title="Put off cancelling order {order_id}",
        hint="It is not cancelled for being unpaid before the end of this day.",
        link="Put off cancelling it",
        button="Put it off",
        noun="The cancelling of order {about}",
        participle="put off",
        stands_apart=True,
        is_offered=lambda order: (
            order.status == "pending" and not order.paid and not order.parcels
        ),
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
        is_offered=lambda order: order.status in UNSHIPPED and not order.parcels,
    ),
)
