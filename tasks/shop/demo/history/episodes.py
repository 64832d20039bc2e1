"""
The written part of the demo: what happens to customers whom one can look up by name.

Days count from 0 to LAST_DAY. Each episode draws its hours from its own random numbers.
"""

from collections.abc import Callable
from dataclasses import replace
from random import Random

from domain.accounts.commands import CloseAccount, Deposit, OpenAccount, Withdraw
from domain.customers.commands import ForgetCustomer
from domain.orders.commands import RefundPayment
from domain.transfers.commands import TransferMoney
from tasks.shop.demo.customers import CUSTOMERS, MOVED
from tasks.shop.demo.history.detours import (
    line_that_came_back,
    order_on_account,
    order_that_came_back,
    order_that_was_changed,
    order_that_was_waited_for,
)
from tasks.shop.demo.history.invented_shop import InventedShop
from tasks.shop.demo.history.people import ACCOUNTS, PRIVACY, SERVICE, WEBSHOP
from tasks.shop.demo.history.routine import (
    cancel_and_refund,
    cancellation,
    change_details,
    delivery,
    payment,
    register,
    registered,
    ship_and_deliver,
    shipping,
)
from tasks.shop.demo.history.simulation import Step, Story

LAST_DAY = 209
"""Some seven months."""

Episode = Callable[[InventedShop, Random], Story]


def renamed_customer(shop: InventedShop, random: Random) -> Story:
    """Åsa Lindqvist orders, marries, and orders under her new name."""
    yield from register(shop, "asa", CUSTOMERS["asa"], 0)
    yield from one_order(shop, "asa", {"FP-MOEWE-F": 1, "INK-NIGHT": 2}, 0, random)
    yield from change_details(shop, "asa", MOVED["asa"], 96, random)
    yield from one_order(shop, "asa", {"NB-A5-DOT": 2, "NB-A6-RUL": 1}, 140, random)


def customer_corrected_twice(shop: InventedShop, random: Random) -> Story:
    """Iris van der Meulen's postal code was mistyped; later she moves."""
    right = CUSTOMERS["iris"]
    mistyped = replace(right, address={**right.address, "postal_code": "3115 AX"})
    yield from register(shop, "iris", mistyped, 5)
    yield from change_details(shop, "iris", right, 6, random)
    yield from one_order(shop, "iris", {"NB-SKETCH": 1, "PENCIL-6": 2}, 9, random)
    yield from change_details(shop, "iris", MOVED["iris"], 120, random)


def forgotten_customer(shop: InventedShop, random: Random) -> Story:
    """Oliver Bennett orders twice, and asks to be forgotten: the orders stay."""
    yield from registered(shop, "bennett", CUSTOMERS["bennett"], 8)
    yield from one_order(shop, "bennett", {"NB-A5-DOT": 3, "PENCIL-6": 1}, 12, random)
    yield from one_order(shop, "bennett", {"CASE-3": 1}, 45, random)
    forget = ForgetCustomer(customer_id=shop.customers.numbers["bennett"])
    yield Step(shop.calendar.office_time(150, random), PRIVACY, forget)


def order_placed_twice(shop: InventedShop, random: Random) -> Story:
    """Harper & Finch pay the same order twice; the second one is refunded to them."""
    yield from register(shop, "harper", CUSTOMERS["harper"], 3)
    wanted = {"BLOT-PAD": 4, "PAPER-COT": 12}
    at = shop.calendar.any_time(60, random)
    first = yield Step(at, WEBSHOP, shop.order_for("harper", wanted, "0.05"))
    second = yield Step(at, WEBSHOP, shop.order_for("harper", wanted, "0.05"))
    paid = shop.calendar.office_time(61, random)
    yield Step(paid, ACCOUNTS, shop.payment_of(first))
    yield Step(paid, ACCOUNTS, shop.payment_of(second))
    yield from cancel_and_refund(shop, second, 63, random, "Ordered twice by mistake")
    back = Withdraw(
        account_id=shop.customers.numbers["harper"],
        amount=shop.order(second).standing.refunded,
    )
    yield Step(shop.calendar.office_time(70, random), ACCOUNTS, back)


def order_refunded_in_parts(shop: InventedShop, random: Random) -> Story:
    """Librería Núñez cancels an order that was late; the money goes back in two."""
    yield from register(shop, "nunez", CUSTOMERS["nunez"], 1)
    at = shop.calendar.any_time(83, random)
    number = yield Step(at, WEBSHOP, shop.order_for("nunez", {"FP-ATLAS": 3}))
    yield payment(shop, number, 85, random)
    reason = "Late for the fair; the money goes back"
    yield cancellation(shop, number, 92, random, reason)
    total = shop.order(number).standing.credit
    for day, amount in ((94, total // 3), (101, total - total // 3)):
        refund = RefundPayment(order_id=int(number), amount=amount)
        yield Step(shop.calendar.office_time(day, random), ACCOUNTS, refund)


def wrong_letter(shop: InventedShop, random: Random) -> Story:
    """Jiří Novák cancels a seal with the wrong letter, and orders the right one."""
    # No drawn order: nothing of his is open in the end, so he can be forgotten.
    yield from registered(shop, "novak", CUSTOMERS["novak"], 2)
    at = shop.calendar.any_time(31, random)
    number = yield Step(at, WEBSHOP, shop.order_for("novak", {"SEAL": 1}))
    yield cancellation(shop, number, 32, random, "The letter on it should be a Ř")
    yield from one_order(shop, "novak", {"SEAL": 1, "WAX-RED": 2}, 34, random)


def transfers(shop: InventedShop, random: Random) -> Story:
    """A bookshop pays into its account, and moves money: once too much of it."""
    # No drawn order: its refund would open the account first.
    yield from registered(shop, "kauz", CUSTOMERS["kauz"], 0)
    own = shop.customers.numbers["kauz"]
    for day, account in ((1, "till"), (20, own)):
        opening = OpenAccount(account_id=account, currency=shop.currency)
        yield Step(shop.calendar.at(day, 9, 15), ACCOUNTS, opening)
    deposit = Deposit(account_id=own, amount=shop.amount(50_000))
    yield Step(shop.calendar.office_time(22, random), ACCOUNTS, deposit)
    for day, amount in ((40, 18_000), (75, 90_000), (130, 20_000)):
        transfer = TransferMoney(
            from_account=own,
            to_account="till",
            amount=shop.amount(amount),
            currency=shop.currency,
        )
        yield Step(shop.calendar.office_time(day, random), SERVICE, transfer)
    yield from one_order(shop, "kauz", {"NB-A5-DOT": 40, "WAX-RED": 30}, 140, random)


def closed_account(shop: InventedShop, random: Random) -> Story:
    """Papelaria Três Irmãs tries an account for some months, and closes it."""
    yield from registered(shop, "irmas", CUSTOMERS["irmas"], 0)
    own, amount = shop.customers.numbers["irmas"], shop.amount(10_000)
    for day, command in (
        (30, OpenAccount(account_id=own, currency=shop.currency)),
        (31, Deposit(account_id=own, amount=amount)),
        (99, Withdraw(account_id=own, amount=amount)),
        (100, CloseAccount(account_id=own)),
    ):
        yield Step(shop.calendar.at(day, 11, 40), ACCOUNTS, command)


def order_of_the_last_weeks(shop: InventedShop, random: Random) -> Story:
    """Bókabúð Jökuls get an order that was still on its way a week ago."""
    yield from registered(shop, "jokull", CUSTOMERS["jokull"], 2)
    wanted = {"FP-MOEWE-B": 8, "INK-NIGHT": 16}
    at = shop.calendar.any_time(LAST_DAY - 16, random)
    number = yield Step(at, WEBSHOP, shop.order_for("jokull", wanted, "0.1"))
    yield payment(shop, number, LAST_DAY - 14, random)
    yield shipping(shop, number, LAST_DAY - 10, random)
    yield delivery(shop, number, LAST_DAY - 3, random)


def order_of_the_last_day(shop: InventedShop, random: Random) -> Story:
    """Satō Haruka orders in the evening of the last day; it waits to be paid."""
    yield from register(shop, "sato", CUSTOMERS["sato"], 1)
    wanted = {"NB-A6-RUL": 2, "CARD-FOLD": 1}
    yield Step(shop.calendar.at(LAST_DAY, 19, 5))
    yield Step(
        shop.calendar.at(LAST_DAY, 19, 5), WEBSHOP, shop.order_for("sato", wanted)
    )


def one_order(
    shop: InventedShop, key: str, quantities: dict[str, int], day: int, random: Random
) -> Story:
    """Place an order when the shop opens, and have it paid, shipped and delivered."""
    at = shop.calendar.at(day, 8, 30)
    number = yield Step(at, WEBSHOP, shop.order_for(key, quantities))
    paid = shop.calendar.working_day(day + 1)
    yield payment(shop, number, paid, random)
    yield from ship_and_deliver(shop, number, paid + 1, random)


EPISODES: dict[Episode, int] = {
    renamed_customer: 2,
    customer_corrected_twice: 1,
    forgotten_customer: 2,
    order_placed_twice: 2,
    order_refunded_in_parts: 1,
    wrong_letter: 2,
    transfers: 1,
    closed_account: 0,
    order_of_the_last_weeks: 1,
    order_of_the_last_day: 1,
    order_on_account: 1,
    order_that_was_changed: 1,
    line_that_came_back: 1,
    order_that_came_back: 1,
    order_that_was_waited_for: 1,
}
"""The episodes, with how many orders each has."""
ORDERS = sum(EPISODES.values())
