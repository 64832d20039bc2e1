"""A read model that was taken out: what the page about it does leaves nothing."""

import shlex
import sys
from types import ModuleType

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from cli import cli
from cli.status import status
from eventstore.projections.projection import Projection
from tasks import catch_up
from tasks.shop import rebuild
from tasks.shop.wiring import Shop
from tests.support.databases import ROOT
from tests.support.desk import Do, alice, place

PAGE = (ROOT / "docs" / "adding-a-read-model.md").read_text()
LEFT = sa.text(
    """
    SELECT 'table ' || tablename FROM pg_tables WHERE tablename LIKE 'countries%'
    UNION ALL SELECT 'view ' || viewname FROM pg_views WHERE viewname LIKE 'countries%'
    UNION ALL SELECT 'reader ' || name FROM subscriptions WHERE name LIKE 'countries%'
    UNION ALL SELECT 'live ' || live FROM generations WHERE read_model = 'countries'
    """
)


@pytest.fixture
def countries(monkeypatch: pytest.MonkeyPatch) -> Projection:
    """The read model of the page."""
    module = ModuleType("readmodels.countries")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(code_of_the_page(), vars(module))
    projection: Projection = module.projection
    return projection


def code_of_the_page() -> str:
    return PAGE.partition("```python\n")[2].partition("```")[0]


def type_the_removal() -> None:
    """Run the command that the page gives."""
    section = PAGE.partition("## When it is no longer needed\n")[2]
    typed = section.partition("```\n./recount ")[2].partition("\n```")[0]
    result = CliRunner().invoke(cli, shlex.split(typed))
    assert result.exit_code == 0, result.output


def left(shop: Shop) -> set[str]:
    with shop.engine.connect() as connection:
        return set(connection.scalars(LEFT))


def test_a_read_model_that_was_taken_out_leaves_nothing(
    shop: Shop, do: Do, countries: Projection
) -> None:
    rebuild.rebuild(shop, countries, lambda _: None)
    rebuild.rebuild(shop, countries, lambda _: None)
    before = left(shop)
    do(alice, place)
    shown = CliRunner().invoke(status).output
    type_the_removal()
    catch_up.run(shop)

    assert {"table countries_g1", "table countries_g2_destinations"} <= before
    assert {"view countries", "live 2", "reader countries_g2"} <= before
    assert "countries" in shown
    assert left(shop) == set()
    assert "countries" not in CliRunner().invoke(status).output
    assert "order_list" in CliRunner().invoke(status).output
