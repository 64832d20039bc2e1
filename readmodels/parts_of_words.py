"""Which words of orders have a part in them that was asked for."""

from collections.abc import Iterable, Iterator, Sequence

import sqlalchemy as sa

from readmodels import customers, ordered_products
from readmodels.known_words import KnownWords, Likeness, index_of
from readmodels.row_words import TAIL
from readmodels.words import words

MAX_WORDS = 20
"""So many words with a part in them are looked for; a part of more says little."""
MAX_ROWS = 500
MAX_PRODUCTS = 5_000


def words_that_hold(
    known: KnownWords, asked: Sequence[str]
) -> dict[str, list[Likeness]]:
    """
    Return how words begin that have each of *asked* in them, behind their beginning.

    Rows of orders have no ends of words. So these are looked up where they come from:
    among customers, who have them, products, and the words of the last orders, where
    the places are. A read model that is behind, or is not there, has fewer of them.
    """
    names = list(names_of_products(known.connection))
    found: dict[str, list[Likeness]] = {}
    for part in asked:
        among = dict.fromkeys(
            (*known.sample, *names, *words_of_customers(known.connection, part))
        )
        # Up to the part: it finds all words that go on in whatever way.
        heads = {
            word[: word.index(part, 1) + len(part)]
            for word in among
            if part in word[1:] and not word.startswith(TAIL)
        }
        found[part] = [Likeness(head) for head in sorted(heads)[:MAX_WORDS]]
    return found


def names_of_products(connection: sa.Connection) -> Iterator[str]:
    """Yield the words of the products that are ordered most, some more than once."""
    if is_there(connection, ordered_products.view.name):
        page = ordered_products.find(connection, sort="-times", limit=MAX_PRODUCTS)
        for row in page.rows:
            yield from words(row.product).split()


def words_of_customers(connection: sa.Connection, part: str) -> Iterable[str]:
    """Return the words of customers who have one with *part* in it."""
    view = customers.view
    if not is_there(connection, view.name):
        return ()
    return connection.scalars(
        sa.text(
            f"""
            SELECT DISTINCT unnest(string_to_array(words, ' ')) FROM (
                SELECT words FROM {view.table.schema}.{view.name}
                WHERE {index_of("words")} @@ (SELECT CAST(:wanted AS tsquery))
                LIMIT :most
            ) AS found
            """
        ),
        {"wanted": Likeness(TAIL + part).query, "most": MAX_ROWS},
    ).all()


def is_there(connection: sa.Connection, name: str) -> bool:
    query = sa.text("SELECT to_regclass(:name) IS NOT NULL")
    return bool(connection.scalar(query, {"name": f"readmodels.{name}"}))
