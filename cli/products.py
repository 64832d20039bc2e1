"""`recount products`: the price list of a shop from before there was one."""

import sys
from collections.abc import Sequence

import click
import psycopg

from cli import import_report as report
from cli.import_report import shown
from cli.importing import INTERRUPTED, Import
from eventstore.errors import EventStoreError
from tasks.shop.adopting import Articles, find_articles
from tasks.shop.counts import count_in_words
from tasks.shop.history_import.csv_files import show_text
from tasks.shop.history_import.errors import ImportRefused
from tasks.shop.history_import.preconditions import examine_shop
from tasks.shop.printable import printable
from tasks.shop.wiring import shop
from webapp.notation import plain_notation


@click.group(short_help="Make a price list of what past orders name.")
def products() -> None:
    """The price list of a shop from before there was one."""


@products.command(short_help="Put what past orders name on the price list.")
@click.option("--dry-run", is_flag=True, help="List it, and write nothing.")
def adopt(dry_run: bool) -> None:
    """
    Put the articles that past orders name by a number on the price list.

    Each gets the name and the price of its latest order; change what is out of date
    afterwards. Orders stay what they are. What has a product with its number already
    is left alone, also if that was discontinued. New products get numbers behind all
    that orders name. A second run adds what has been ordered since.
    """
    this = shop()
    run = Import(this, this.settings.currency)
    try:
        examine_shop(this, run.currency)
        with this.lent() as connection:
            articles = find_articles(connection, this.deciders)
        tell_articles(articles)
        if not articles.new:
            click.echo("nothing to do: past orders name nothing else")
        elif dry_run:
            run.rehearse(articles.plan())
        else:
            run.carry_out(articles.plan())
    except ImportRefused as error:
        report.tell_refusal(error, run.appended)
        sys.exit(1)
    except EventStoreError as error:
        raise click.ClickException(printable(str(error))) from error
    except psycopg.OperationalError as error:
        report.tell_loss(error, run.appended)
        sys.exit(1)
    except KeyboardInterrupt:
        report.tell_interruption(run.appended)
        sys.exit(INTERRUPTED)


def tell_articles(articles: Articles) -> None:
    """Print what past orders name, and what of it is on the list or cannot be."""
    found = [*articles.new, *articles.listed, *articles.given_away]
    click.echo(
        f"found      {count_in_words(len(found), 'article')} in past orders;"
        f" {len(articles.listed):,} on the price list already"
    )
    width = max(map(len, articles.new), default=0)
    notation = plain_notation(shop().settings)
    for number, article in articles.new.items():
        price = notation.write_money(article.unit_price, article.currency)
        day = notation.write_day(article.ordered_at.astimezone(notation.timezone))
        line = f"  {number:{width}}  {article.name}, {price}, ordered last {day}"
        click.echo(printable(line))
    for number, (article, product) in articles.listed.items():
        if article.name != product.name:
            line = f"otherwise  {number} is {product.name}; in orders {article.name}"
            click.echo(printable(line))
    tell_others(articles.given_away, "was never paid for", "were never paid for")
    tell_others(articles.no_numbers, "can be no product's", "can be no products'")


def tell_others(numbers: Sequence[str], one: str, many: str) -> None:
    if numbers:
        which = count_in_words(len(numbers), f"number {one}", f"numbers {many}")
        click.echo(f"not listed {which}: {shown(map(show_text, numbers))}")
