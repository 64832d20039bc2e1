"""Rows of the lists for searches: names, places, products and telephone numbers."""

from datetime import UTC, datetime, timedelta

from domain.address import Address
from domain.customers.events import CustomerRegistered
from readmodels import customers
from readmodels.order_summary import OrderSummaryRow
from readmodels.row_words import (
    joined,
    words_of_customer,
    words_of_customer_in_parts,
    words_of_order,
    words_of_place,
)
from readmodels.words import words

FIRST_NAMES = (
    "Anna Bernd Clara Dmitri Elena Farid Greta Hugo Ines Jonas Karin Lukas Maria "
    "Nils Olga Pavel Quinn Rosa Sven Tanja Uwe Vera Wim Xenia Yusuf Zoe"
)
LAST_NAMES = (
    "Anders Bauer Costa Dubois Eriksen Fischer Garcia Horvat Ivanov Jansen Keller "
    "Lopez Meyer Novak Olsen Petrov Quist Rossi Schmidt Tran Ueda Virtanen Weber "
    "Xu Yilmaz Zimmermann"
)
ENDS = ("", "son", "berg", "dal")
PLACES = (
    ("Berlin", "Germany"),
    ("Strasbourg", "France"),
    ("København", "Denmark"),
    ("Łódź", "Poland"),
    ("Rio de Janeiro", "Brazil"),
    ("Reykjavík", "Iceland"),
    ("Barquisimeto", "Venezuela"),
    ("Walla Walla", "United States"),
)
GOODS = (
    "Notebook A5, dotted, 160 pages",
    "Cotton writing paper, ivory",
    "Fountain pen, fine nib",
    "Sealing wax, crimson",
    "Leather case for three pens",
    "Gumbär Gummibärchen",
    "Zaanse koeken",
    "Röd Kaviar",
    "Northwoods Cranberry Sauce",
    "Wimmers gute Semmelknödel",
    "Tarte au sucre",
    "Desk blotter",
)
STATUSES = (
    *("pending", "paid", "shipped", "delivered"),
    *("delivered", "delivered", "delivered", "cancelled"),
)
DAY = datetime(2020, 1, 1, tzinfo=UTC)


def a_customer(n: int) -> customers.CustomerRow:
    first = FIRST_NAMES.split()[n * 31 % 26]
    last = LAST_NAMES.split()[n * 7919 // 26 % 26] + ENDS[n % 4]
    key, email = f"C{n:06}", f"{first}.{last}{n}@example.com".lower()
    phone = f"+49 (0)30 {100_000 + n * 104_729 % 899_981}"
    details = CustomerRegistered(name=f"{first} {last}", email=email, phone=phone)
    return customers.CustomerRow(
        customer_id=key,
        version=1,
        name=details.name,
        email=email,
        contact_name=None,
        phone=phone,
        address=None,
        registered_at=DAY,
        orders=n % 40,
        worth=n * 7919 % 100_003,
        words=words_of_customer_in_parts(key, details),
    )


def an_order(n: int, customer: customers.CustomerRow) -> OrderSummaryRow:
    tracking = f"JD{n}999" if n % 3 == 0 else None
    city, country = PLACES[n * 31 % 8]
    products = tuple(GOODS[(n + line * 5) % 12] for line in range(1 + n % 3))
    total, status = n * 7919 % 100_003, STATUSES[n * 31 % 8]
    is_owed = status == "pending"
    return OrderSummaryRow(
        order_id=n,
        customer_id=customer.customer_id,
        customer_name=customer.name,
        customer_email=customer.email,
        total=total,
        paid=0 if is_owed else total,
        refunded=0,
        due=total if is_owed else 0,
        credit=total if status == "cancelled" else 0,
        currency="EUR",
        status=status,
        item_count=len(products),
        parcels=1 if tracking else 0,
        tracking_number=tracking,
        tracking_numbers=(tracking,) if tracking else (),
        terms=None,
        required_date=None,
        created_at=DAY + timedelta(minutes=9 * n),
        city=city,
        products=products,
        customer_words=words_of_customer(
            customer.customer_id,
            CustomerRegistered(
                name=customer.name, email=customer.email, phone=customer.phone
            ),
        ),
        place_words=words_of_place(Address(street="1", city=city, country=country)),
        order_words=joined(words(n, tracking), words_of_order(str(n), products)),
    )
