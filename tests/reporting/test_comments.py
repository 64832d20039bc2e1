"""What the login `reader` finds in psql: words for each column, that stay."""

import re

import pytest

import readmodels
from eventstore.projections.comments import column_comments, comment_of, ensure_comments
from tasks.shop import rebuild
from tasks.shop.reporting.install import (
    FUNCTIONS,
    VIEWS,
)
from tasks.shop.wiring import Shop
from tests.support.databases import ROOT
from tests.support.desk import Do, alice, deliver, place
from tests.support.psql import find_psql, type_into_psql
from tests.support.reader import ask_as
from tests.support.users import user

with_psql = pytest.mark.skipif(find_psql() is None, reason="needs psql")


def named(shop: Shop) -> list[str]:
    """Return all that `reader` finds by a plain name."""
    found = ask_as(
        shop,
        """
        SELECT schemaname || '.' || viewname FROM pg_views
        WHERE schemaname IN ('readmodels', 'reporting') ORDER BY 1
        """,
    )
    return [name for (name,) in found]


def described(shop: Shop) -> dict[str, str | None]:
    """Return the comments that `reader` finds, by the name of view or column."""
    found = ask_as(
        shop,
        """
        SELECT a.attrelid::regclass || '.' || a.attname,
            col_description(a.attrelid, a.attnum)
        FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
        WHERE c.relnamespace IN ('readmodels'::regnamespace, 'reporting'::regnamespace)
            AND c.relkind = 'v' AND a.attnum > 0
        UNION ALL
        SELECT c.oid::regclass::text, obj_description(c.oid, 'pg_class')
        FROM pg_class AS c
        WHERE c.relnamespace IN ('readmodels'::regnamespace, 'reporting'::regnamespace)
            AND c.relkind = 'v'
        """,
    )
    return dict(found)


def test_every_view_and_every_column_has_a_comment(shop: Shop) -> None:
    comments = described(shop)

    assert named(shop) == sorted(
        [f"readmodels.{p.name}" for p in readmodels.ALL]
        + [f"reporting.{view}" for view in VIEWS]
    )
    assert [name for name, comment in comments.items() if not comment] == []
    assert len(comments) > 100


def test_every_function_has_a_comment(shop: Shop) -> None:
    found = ask_as(
        shop,
        """
        SELECT proname::text, obj_description(oid, 'pg_proc') FROM pg_proc
        WHERE pronamespace = 'reporting'::regnamespace ORDER BY 1
        """,
    )

    assert [name for name, comment in found if comment] == sorted(FUNCTIONS)


def test_a_view_that_a_rebuild_makes_again_keeps_its_comments(shop: Shop) -> None:
    before = described(shop)
    for projection in readmodels.ALL:
        rebuild.rebuild(shop, projection, lambda _: None)

    assert described(shop) == before


def test_comments_are_the_words_beside_the_fields(shop: Shop) -> None:
    comments = described(shop)
    for projection in readmodels.ALL:
        view = f"readmodels.{projection.name}"
        assert comments[view] == comment_of(projection.row)
        for column, text in column_comments(projection.row).items():
            assert comments[f"{view}.{column}"] == text


def test_what_is_personal_in_a_read_model_is_marked(shop: Shop) -> None:
    comments = described(shop)
    marked = {
        name.partition(".")[2]
        for name, comment in comments.items()
        if comment and comment.startswith("Personal: ")
    }

    assert marked == {
        *(f"customers.{c}" for c in ("name", "email", "contact_name", "phone")),
        *("customers.address", "customers.words"),
        *(f"order_list.customer_{c}" for c in ("name", "email", "words")),
        *("order_list.city", "order_list.place_words"),
        *("order_details.customer_name", "order_details.customer_email"),
        *("order_details.address", "order_details.notes"),
        "sales.country",
    }


def test_a_view_of_a_version_without_comments_gets_them(shop: Shop) -> None:
    before = described(shop)
    with shop.lent() as connection:
        connection.execute("COMMENT ON VIEW readmodels.order_list IS NULL")
        connection.execute("COMMENT ON COLUMN readmodels.products.name IS 'a text'")
        for projection in readmodels.ALL:
            ensure_comments(connection, projection)

    assert described(shop) == before


@with_psql
def test_psql_shows_a_reader_what_each_column_means(shop: Shop, do: Do) -> None:
    do(alice, place)
    shown = type_into_psql(
        shop.settings.database_url,
        "reader",
        r"\d+ readmodels.order_list",
        r"\d+ reporting.permissions",
        r"\df+ reporting.order_as_of",
        "SELECT order_id, customer_name, total FROM readmodels.order_list",
        "SELECT status, total, customer_name IS NULL AS is_null"
        " FROM reporting.order_as_of(1, now())",
    )

    total = re.search(r"^ total +\|.*", shown, re.MULTILINE)
    assert total is not None
    assert "What the order costs, freight included, in minor units" in total[0]
    assert "The role of the user that allows it" in shown
    assert "An order as it was at a moment" in shown
    assert re.search(r"^ +1 \| Alice +\| 10899$", shown, re.MULTILINE)
    assert re.search(r"^ pending \| 10899 \| t$", shown, re.MULTILINE)


@with_psql
def test_the_examples_of_the_page_are_answered(shop: Shop, do: Do) -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    section = page.partition("\n## Reports in SQL\n")[2].partition("\n## ")[0]
    queries = section.partition("```sql\n")[2].partition("```")[0].split("\n\n")
    do(alice, place, deliver)
    user(shop, "eve", "bookkeeper")
    # The order is unpaid a day from now, and was not there when the year began.
    later = "now() + '1 day'"
    give_back, refused, unpaid = (
        type_into_psql(shop.settings.database_url, "reader", query)
        for query in (*queries[:2], queries[2].replace("'2026-01-01 00:00+00'", later))
    )

    assert re.search(r"^ eve +\| bookkeeper$", give_back, re.MULTILINE)
    assert re.search(r"^ ConfirmDelivery \| OrderNotShipped \| +1$", refused, re.M)
    assert re.search(r"^ +1 \| 10899$", unpaid, re.MULTILINE)
