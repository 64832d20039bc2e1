"""GET in the API: orders, customers, products and sums."""

import pytest
from flask.testing import FlaskClient

from tests.support.visiting import (
    CLOCKS,
    Place,
    Send,
    Work,
    ask,
    assert_problem,
    in_days,
)


def test_an_order_of_the_list_has_all_that_the_page_shows(
    client: FlaskClient, place: Place, alice: str
) -> None:
    place()
    (order,) = ask(client, "/api/orders")["orders"]

    assert order.pop("created_at").endswith("+00:00")
    assert order == {
        "order_id": 1,
        "customer_id": "ALICE",
        "customer_name": "Alice's Clocks",
        "customer_email": None,
        "total": 2500,
        "due": 2500,
        "credit": 0,
        "currency": "EUR",
        "status": "pending",
        "item_count": 1,
        "parcels": 0,
        "tracking_number": None,
        "terms": None,
        "required_date": None,
        "city": "Berlin",
        "products": ["RETRO-CLOCK"],
    }


def test_the_orders_come_newest_first_and_page_by_page(
    client: FlaskClient, place: Place, alice: str
) -> None:
    for _ in range(5):
        place()
    seen = []
    following = "/api/orders?limit=2&status=pending"
    while following:
        page = ask(client, following)
        seen += [order["order_id"] for order in page["orders"]]
        following = page["next"]

    assert seen == [5, 4, 3, 2, 1]


def test_the_orders_are_filtered_searched_and_sorted(
    client: FlaskClient, place: Place, send: Send, work: Work, alice: str
) -> None:
    work(send("RegisterCustomer", {"customer_id": "BOB", "name": "Bob"}, key="bob"))
    paid, his, big = place("paid"), place(customer_id="BOB"), place()

    def found(query: str) -> list[int]:
        orders = ask(client, f"/api/orders?{query}")["orders"]
        return [order["order_id"] for order in orders]

    assert found("status=paid") == [paid]
    assert found("customer=BOB") == [his]
    assert found("q=bob") == [his]
    assert found("sort=order") == [paid, his, big]
    assert found("status=paid&q=bob") == []
    assert found("due=true") == [big, his]
    assert found("due=false") == [paid]
    assert found("due=true&customer=BOB&sort=order") == [his]


def test_one_order_has_lines_totals_and_history(
    client: FlaskClient, place: Place, alice: str
) -> None:
    item = {**CLOCKS["items"][0], "product_id": "17", "discount": "0.05"}
    more = {"freight": 420, "required_date": str(in_days(30)), "discount": "0.1"}
    place("pending", items=[item], **more)
    order = ask(client, "/api/orders/1")

    assert order["lines"] == [
        {
            "number": 1,
            "product": "RETRO-CLOCK",
            "product_id": "17",
            "quantity": 2,
            "shipped": 0,
            "returned": 0,
            "unit_price": 1250,
            "discount": "0.05",
            "amount": 2375,
        }
    ]
    figures = {
        "gross": 2500,
        "total": 2558,
        "due": 2558,
        "currency": "EUR",
        "status": "pending",
        **more,
    }
    assert {name: order[name] for name in figures} == figures
    assert order["address"]["city"] == "Berlin"
    assert order["links"] == {
        "self": "/api/orders/1",
        "customer": "/api/customers/ALICE",
    }
    (happening,) = order["history"]
    assert happening["event"] == "OrderCreated"
    assert happening["actor"] == "local"
    assert happening["occurred_at"] == order["created_at"]
    assert ask(client, f"/api/commands/{happening['command_id']}")


def test_the_etag_of_an_order_is_the_version_that_a_command_expects(
    client: FlaskClient, place: Place, send: Send, work: Work, alice: str
) -> None:
    place()
    seen = client.get("/api/orders/1").headers["ETag"]
    data = {"order_id": 1, "amount": 2500}
    paid = send("ReceivePayment", data, key="pay", **{"If-Match": seen})
    late = send(
        "CancelOrder",
        {"order_id": 1, "reason": "Late"},
        key="late",
        **{"If-Match": seen},
    )
    work(paid, late)

    assert seen == '"1"'
    assert ask(client, paid.headers["Location"])["status"] == "succeeded"
    assert ask(client, late.headers["Location"])["error"]["rule"] == "StaleVersion"


def test_a_customer_has_details_and_worth_and_nothing_of_the_search(
    client: FlaskClient, place: Place, alice: str
) -> None:
    place()
    place("cancelled")
    response = client.get("/api/customers/ALICE")
    customer = response.get_json()
    (listed,) = ask(client, "/api/customers?q=clocks&sort=-worth")["customers"]

    assert {name: customer[name] for name in listed} == listed
    assert response.headers["ETag"] == '"1"'
    for moment in ("registered_at", "last_order_at"):
        assert listed.pop(moment).endswith("+00:00")
    assert listed == {
        "customer_id": "ALICE",
        "version": 1,
        "name": "Alice's Clocks",
        "email": None,
        "contact_name": None,
        "phone": None,
        "address": None,
        "is_forgotten": False,
        "orders": 2,
        "cancelled": 1,
        "worth": 2500,
        "currency": "EUR",
    }


def test_the_price_list_has_what_is_sold_and_what_was(
    client: FlaskClient, send: Send, work: Work
) -> None:
    for key, (number, price) in enumerate([("RC-1", 4_950), ("L-1", 999)]):
        data = {"product_id": number, "name": f"CLOCK {number}", "unit_price": price}
        work(send("AddProduct", data, key=str(key)))
    work(send("DiscontinueProduct", {"product_id": "L-1"}, key="end"))

    def found(query: str = "") -> list[str]:
        rows = ask(client, f"/api/products?{query}")["products"]
        return [row["product_id"] for row in rows]

    assert found() == ["L-1", "RC-1"]
    assert found("sort=-price") == ["RC-1", "L-1"]
    assert found("listed=true") == ["RC-1"]
    assert found("listed=false") == ["L-1"]
    page = ask(client, "/api/products?limit=1&sort=product")
    assert page["next"] is not None
    assert ask(client, page["next"])["products"][0]["product_id"] == "RC-1"


def test_a_product_has_its_price_and_what_a_command_expects(
    client: FlaskClient, send: Send, work: Work
) -> None:
    added = send("AddProduct", {"name": "CLOCK", "unit_price": 4_950})
    work(added)
    command = ask(client, added.headers["Location"])
    response = client.get(command["links"]["product"])
    product = response.get_json()

    assert response.headers["ETag"] == '"1"'
    assert product.pop("added_at") == product.pop("price_changed_at")
    assert {name: product[name] for name in product if name != "position"} == {
        "product_id": "1",
        "version": 1,
        "name": "CLOCK",
        "unit_price": 4_950,
        "currency": "EUR",
        "discontinued_at": None,
        "links": {"self": "/api/products/1"},
        "behind": 0,
    }


def test_a_product_that_is_called_as_a_page_has_an_address(
    client: FlaskClient, send: Send, work: Work
) -> None:
    data = {"product_id": "changes", "name": "CHANGE", "unit_price": 1}
    work(send("AddProduct", data))

    assert ask(client, "/api/products/~changes")["name"] == "CHANGE"


def test_what_was_ordered_has_its_last_price(
    client: FlaskClient, place: Place, alice: str
) -> None:
    item = CLOCKS["items"][0]
    place(items=[item])
    place(items=[{**item, "unit_price": 990}, {**item, "product": "CHAI"}])
    answer = ask(client, "/api/ordered-products?limit=1")
    rest = ask(client, answer["next"])

    assert [p["product"] for p in answer["products"]] == ["CHAI"]
    assert rest["products"][0]["unit_price"] == 990
    assert rest["currency"] == "EUR"
    assert rest["next"] is None


def test_the_figures_are_sums_over_all_orders(
    client: FlaskClient, place: Place, alice: str
) -> None:
    place(freight=420)
    place("delivered")
    answer = ask(client, "/api/figures")

    assert answer.pop("position") > 0
    assert answer == {
        "orders": 2,
        "gross": 5000,
        "total": 5420,
        "freight": 420,
        "not_shipped": 1,
        "currency": "EUR",
        "behind": 0,
    }


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/api/orders?statsu=paid", "did you mean status?"),
        ("/api/orders?colour=red", "'colour' is unknown"),
        ("/api/orders?status=payed", "did you mean paid?"),
        ("/api/orders?sort=totel", "did you mean total?"),
        ("/api/customers?sort=x", "sort must be one of name, -name"),
        ("/api/customers?status=paid", "'status' is unknown"),
        ("/api/ordered-products?q=x", "'q' is unknown"),
        ("/api/products?listed=yes", "listed must be one of true, false"),
        ("/api/orders?late=false", "late must be one of true"),
        ("/api/orders?due=1", "due must be one of true, false"),
        ("/api/ordered-products?sort=name", "sort must be one of product"),
        ("/api/figures?limit=1", "'limit' is unknown"),
        ("/api/orders?limit=1&limit=2", "'limit' came more than once"),
    ],
)
def test_what_cannot_be_asked_is_told_with_what_can(
    client: FlaskClient, path: str, told: str
) -> None:
    problem = assert_problem(client.get(path), 400, "bad-request")

    assert told in problem["detail"]


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/api/orders/7", "There is no order 7."),
        ("/api/customers/NOBODY", "There is no customer NOBODY."),
        ("/api/products/NOTHING", "There is no product NOTHING."),
        ("/api/orders/x", ""),
        ("/api/orders/0", ""),
        ("/api/nothing", ""),
    ],
)
def test_what_is_not_there_is_a_problem(
    client: FlaskClient, path: str, told: str
) -> None:
    assert told in assert_problem(client.get(path), 404, "not-found")["detail"]


@pytest.mark.parametrize(
    "path", ["/api/orders", "/api/customers", "/api/products", "/api/figures"]
)
def test_a_query_takes_head_and_refuses_other_methods(
    client: FlaskClient, path: str
) -> None:
    assert client.head(path).status_code == 200
    assert_problem(client.post(path), 405, "method-not-allowed")
    assert_problem(client.delete(path), 405, "method-not-allowed")


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=1e9",
        "limit=201",
        "limit=",
        "limit=%D9%A3",
        "after=",
        "after=x",
        "after=WyJvcmRlciIsMV0",
        "status=lost",
        "sort=colour",
        "customer=a%00b",
        "q=%00",
        "before=2",
        "status=paid&status=pending",
        "min_position=-1",
        "min_position=x",
        "min_position=9223372036854775808",
    ],
)
def test_garbage_in_the_query_is_refused(client: FlaskClient, query: str) -> None:
    response = client.get(f"/api/orders?{query}")

    assert response.status_code == 400
    assert response.content_type == "application/problem+json"


def test_without_the_database_the_orders_are_away(away: FlaskClient) -> None:
    response = away.get("/api/orders")

    assert response.status_code == 503
    assert response.headers["Retry-After"] == "5"
