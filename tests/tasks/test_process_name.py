"""A process has a name that an operator understands where connections are listed."""

import pytest

from tasks.shop.process_name import process_name

STARTS = {
    "/venv/bin/gunicorn --bind 127.0.0.1:5000 webapp:create_app()": "web",
    "/site-packages/gunicorn/__main__.py webapp:create_app()": "web",
    "/venv/bin/flask --app webapp run": "web",
    "/venv/bin/celery -A tasks.app worker --concurrency 3": "worker",
    "/site-packages/celery/__main__.py -A tasks.app worker": "worker",
    "/venv/bin/celery -A tasks.app beat --schedule worker": "beat",
    "/checkout/tasks/relay.py": "relay",
    "/checkout/cli/__main__.py status": "status",
    "/checkout/cli/__main__.py rebuild --all": "rebuild",
    "/checkout/cli/__main__.py": "cli",
    "/venv/bin/alembic upgrade head": "alembic",
    "-c": "-c",
    "": "python",
}


@pytest.mark.parametrize(("start", "name"), STARTS.items())
def test_a_process_is_named_after_what_it_does(start: str, name: str) -> None:
    assert process_name(start.split(" ")) == name
