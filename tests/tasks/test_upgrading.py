"""A newer version comes over a shop that has a history."""

from dataclasses import replace

import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory

from eventstore.database.rights_checks import check_rights
from eventstore.subscriptions.lag import find_standings
from readmodels import order_list, products
from tasks.shop import rebuild
from tasks.shop.wiring import Shop
from tests.support.databases import ROOT, as_role, login_of, migrate
from tests.support.desk import Do, add_clock, alice, place


def rows(shop: Shop, read_model: str) -> int:
    with shop.engine.connect() as connection:
        query = sa.text(f"SELECT count(*) FROM readmodels.{read_model}")
        return int(connection.scalar(query) or 0)


def test_a_changed_definition_is_rebuilt_by_the_migration(shop: Shop, do: Do) -> None:
    do(alice, place)
    with shop.engine.begin() as connection:
        connection.execute(sa.text("UPDATE generations SET shape = NULL"))
        connection.execute(sa.text("ALTER TABLE readmodels.order_list_g1 ADD x int"))
        connection.execute(sa.text("UPDATE readmodels.order_list_g1 SET total = 0"))
    migrate(shop.settings.database_url)

    assert rebuild.find_unfit(shop) == []
    with shop.engine.connect() as connection:
        (line,) = order_list.find(connection).rows
    assert line.total == 10_899


def test_checkpoints_of_the_version_before_get_their_events(shop: Shop, do: Do) -> None:
    do(alice, place)
    config = Config(toml_file=ROOT / "pyproject.toml")
    revision = ScriptDirectory.from_config(config).get_revision("0024")
    assert revision is not None
    with shop.autocommitting.connect() as connection:
        connection.exec_driver_sql(
            f"""
            ALTER TABLE subscriptions DROP event_id CASCADE, DROP stopped_since;
            ALTER TABLE process_managers DROP event_id;
            DROP TRIGGER IF EXISTS subscriptions_note_event ON subscriptions;
            UPDATE alembic_version SET version_num = '{revision.down_revision}';
            UPDATE subscriptions SET checkpoint = 7 WHERE name = 'order_list_g1'
            """
        )
    migrate(shop.settings.database_url)

    with shop.lent() as connection:
        standings = find_standings(connection)
        found = connection.execute(
            "SELECT event_id = event_id_at(2) FROM subscriptions"
            " WHERE name = 'accounts_g1'"
        )
        assert found.fetchone() == (True,)
    wrong = [s.name for s in standings if s.standstill is not None]
    assert wrong == ["order_list_g1"]


def test_read_models_are_filled_by_an_operator_and_never_by_the_owner(
    shop: Shop, do: Do
) -> None:
    do(alice, place)
    with shop.engine.begin() as connection:
        connection.exec_driver_sql(
            """
            CREATE TABLE fillers (name text);
            CREATE FUNCTION note_filler() RETURNS trigger LANGUAGE plpgsql
            SECURITY DEFINER AS $$ BEGIN
                INSERT INTO fillers VALUES (session_user);
                RETURN NULL;
            END $$;
            UPDATE generations SET shape = NULL;
            CREATE TRIGGER note_filler AFTER UPDATE ON generations
            EXECUTE FUNCTION note_filler();
            """
        )
    url = shop.settings.database_url
    migrate(url, OPERATOR_DATABASE_URL=as_role(url, "operator"))

    assert rebuild.find_unfit(shop) == []
    with shop.engine.connect() as connection:
        fillers = set(connection.scalars(sa.text("SELECT name FROM fillers")))
    assert fillers == {login_of("operator")}


def test_an_operator_s_login_that_is_still_to_be_made_holds_up_no_migration(
    shop: Shop, do: Do
) -> None:
    do(alice, place)
    with shop.engine.begin() as connection:
        connection.execute(sa.text("UPDATE generations SET shape = NULL"))
    url = shop.settings.database_url
    migrate(url, OPERATOR_DATABASE_URL=as_role(url, "nobody"))

    assert len(rebuild.find_unfit(shop)) == len(shop.projections)


def test_a_new_read_model_is_filled_by_the_migration(shop: Shop, do: Do) -> None:
    do(add_clock)
    with shop.engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE readmodels.products_g1 CASCADE"))
        connection.execute(
            sa.text("DELETE FROM generations WHERE read_model = 'products'")
        )
        connection.execute(
            sa.text("DELETE FROM subscriptions WHERE name = 'products_g1'")
        )
    migrate(shop.settings.database_url)

    assert rows(shop, "products") == 1


def test_a_changed_fold_is_seen_by_its_version(shop: Shop) -> None:
    newer = replace(products.projection, version=products.projection.version + 1)
    shop.projections = [newer]

    assert rebuild.find_unfit(shop) == [newer]


def test_a_read_model_that_cannot_be_filled_holds_up_no_other(
    shop: Shop, do: Do
) -> None:
    do(alice, place)
    with shop.engine.begin() as connection:
        connection.execute(
            sa.text("CREATE VIEW mine AS SELECT * FROM readmodels.customers")
        )
        connection.execute(sa.text("UPDATE generations SET shape = NULL"))
    migrate(shop.settings.database_url)

    assert [projection.name for projection in rebuild.find_unfit(shop)] == ["customers"]


def test_rights_that_are_not_as_they_ought_to_be_are_mended(shop: Shop) -> None:
    with shop.engine.begin() as connection:
        connection.exec_driver_sql("GRANT UPDATE ON events TO recount_web")
        connection.exec_driver_sql("REVOKE SELECT ON events FROM recount_web")
    migrate(shop.settings.database_url)

    with shop.lent() as connection:
        assert list(check_rights(connection)) == []
