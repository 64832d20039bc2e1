"""What /metrics says of a rebuild."""

from flask.testing import FlaskClient

from eventstore.rebuilding.fillings import begin, note_differing, note_progress
from eventstore.rebuilding.progress import Progress
from eventstore.rebuilding.rebuild import alone
from readmodels import order_list
from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, place


def lines(client: FlaskClient) -> set[str]:
    text = client.get("/metrics").text
    return {line for line in text.splitlines() if line.startswith("recount_rebuild_")}


def test_a_filling_is_seen_with_how_far_it_is_and_whether_it_goes_on(
    client: FlaskClient, shop: Shop, do: Do
) -> None:
    do(alice, place)
    assert lines(client) == set()
    with shop.lent() as connection, alone(connection, order_list.projection):
        begin(connection, order_list.projection, 1)
        progress = Progress("filling", 250, 1_000, 7.5)
        note_progress(connection, "order_list_g2", progress)
        while_it_runs = lines(client)
        note_differing(connection, "order_list_g2", 3)

    of = '{read_model="order_list"}'
    assert while_it_runs == {
        f"recount_rebuild_events_read{of} 250.0",
        f"recount_rebuild_events{of} 1000.0",
        f"recount_rebuild_running{of} 1.0",
    }
    assert {
        f"recount_rebuild_rows_differing{of} 3.0",
        f"recount_rebuild_running{of} 0.0",
    } < lines(client)
