"""
The words by which the rows of lists are found, made when a row is folded.

Only the rows of customers have the ends of words: a row of an order is written again
with each step of the order, and each word in its index with it.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache

from domain.address import Address
from domain.customers.events import CustomerDetails
from domain.forgotten import FORGOTTEN
from readmodels.phones import phone_words
from readmodels.words import MAX_BYTES, words

TAIL = "."
"""What stands before the end of a word; no word has it."""
MIN_TAIL = 4
MIN_HEAD = 2
"""A tail has so many letters at least, and leaves so many before it."""
MIN_PART = 3
"""Of so many letters is what is looked for within words, at least."""
FIRST_UNPARTED = "\u2e80"
"""From here on are scripts that write no blanks: there two letters are a word."""


def words_of_customer(customer_id: str, details: CustomerDetails) -> str:
    """Return the words of a customer: name, number, e-mail, contact and telephone."""
    return joined(
        words(details.name, customer_id, details.email, details.contact_name),
        *phone_words(details.phone),
    )


def words_of_customer_in_parts(customer_id: str, details: CustomerDetails) -> str:
    """Return the words of a customer and of their place, with their ends."""
    city = None if details.address is None else details.address.city
    return joined(
        words_of_customer(customer_id, details),
        words_of_place(details.address),
        *tails(words(details.name, details.contact_name, city)),
    )


def words_of_forgotten(customer_id: str) -> str:
    """Return the words of a customer of whom nothing is known but the number."""
    return words(FORGOTTEN, customer_id)


def words_of_place(address: Address | None) -> str:
    """Return the words of the city and the country; none of a forgotten address."""
    if address is None or address.city == FORGOTTEN:
        return ""
    return words_of_city(address.city, address.country)


@lru_cache(2_000)
def words_of_city(city: str, country: str) -> str:
    return words(city, country)


def words_of_order(number: str, products: Iterable[str]) -> str:
    """Return the words of an order: its *number*, and the names of its products."""
    return joined(number, *map(words_of_product, dict.fromkeys(products)))


@lru_cache(5_000)
def words_of_product(name: str) -> str:
    return words(name)


def joined(*texts: str) -> str:
    """
    Return the words of *texts*, each once, with a blank between them.

    What is more than MAX_BYTES in UTF-8 is cut off: an index entry is limited.
    """
    text = " ".join(dict.fromkeys(" ".join(texts).split()))
    if len(text) * 4 <= MAX_BYTES:
        return text
    cut = text.encode()[:MAX_BYTES].decode(errors="ignore")
    return cut.rstrip(f" {TAIL}")


def tails(text: str) -> Iterator[str]:
    """
    Yield the ends of the words of *text*, marked: of `weinberg` that is `.berg`, too.

    A part of a word begins one of them. Of numbers there are none.
    """
    for word in text.split():
        if word < FIRST_UNPARTED:
            first, last = MIN_HEAD, len(word) - MIN_TAIL
        else:
            first, last = 1, len(word) - 2
        if first <= last and not any(map(str.isdigit, word)):
            for start in range(first, last + 1):
                yield TAIL + word[start:]


def is_part(word: str) -> bool:
    """Return whether *word*, as it was asked for, may begin a tail."""
    is_long = len(word) >= MIN_PART or word >= FIRST_UNPARTED
    return is_long and not any(map(str.isdigit, word))
