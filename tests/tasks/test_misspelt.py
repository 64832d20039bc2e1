"""A variable that was meant for us is refused by name; others' are left alone."""

import ast
import os
import subprocess
import sys

import pytest

from tasks.shop.bad_setting import BadSetting
from tasks.shop.misspelled_variables import MisspelledVariable, find_misspelled
from tasks.shop.settings import OF_ROLES, VARIABLES, settings_from
from tests.support.databases import MASTER_KEY, ROOT

NEEDED = {
    "DATABASE_URL": "postgresql://alice@db.example:5432/shop",
    "REDIS_URL": "redis://redis.example:6379/0",
    "MASTER_KEY": MASTER_KEY,
    "SECRET_KEY": "0123456789abcdef0123456789abcdef",
}
MISSPELT = {
    "CATCHUP_SECONDS": "CATCH_UP_SECONDS",
    "CATCH_UP_SECOND": "CATCH_UP_SECONDS",
    "CATCH_UP_SIGNAL": "CATCH_UP_SIGNALS",
    "SHOP_CATCH_UP_SECONDS": "CATCH_UP_SECONDS",
    "SNAPSHOTS_EVENTS": "SNAPSHOT_EVENTS",
    "SNAPHSOT_SECONDS": "SNAPSHOT_SECONDS",
    "SEALS_SECONDS": "SEAL_SECONDS",
    "SEAL_EXPORT_DIR": "SEALS_EXPORT_DIR",
    "UNPAID_DAY": "UNPAID_DAYS",
    "DAYS_UNPAID": "UNPAID_DAYS",
    "ORDERS_UNPAID_DAYS": "UNPAID_DAYS",
    "CURENCY": "CURRENCY",
    "TIME_ZONE": "TIMEZONE",
    "RECOUNT_LOCALE": "LOCALE",
    "LOGLEVEL": "LOG_LEVEL",
    "LOG_FROMAT": "LOG_FORMAT",
    "DATABSE_URL": "DATABASE_URL",
    "database_url": "DATABASE_URL",
    "DATABASE-URL": "DATABASE_URL",
    "WEB_DATABASEURL": "WEB_DATABASE_URL",
    "WORKERS_DATABASE_URL": "WORKER_DATABASE_URL",
    "OPERATORS_DATABASE_URL": "OPERATOR_DATABASE_URL",
    "REDIS_URI": "REDIS_URL",
    "REDIS_ULR": "REDIS_URL",
    "MASTERKEY": "MASTER_KEY",
    "SECRET_KYE": "SECRET_KEY",
    "STATEDIR": "STATE_DIR",
    "RECOUNT_CURRENCY": "CURRENCY",
    "RECOUNT_PORT": "PORT",
    "RECOUNT_TOKEN_FILE": "RECOUNT_TOKEN",
}
FOREIGN = """
    PATH HOME USER SHELL LANG LC_ALL LC_CTYPE TERM PWD OLDPWD LOGNAME HOSTNAME MAIL
    TZ EDITOR VISUAL PAGER DISPLAY TMPDIR TEMP TMP _ SHLVL HISTSIZE LS_COLORS
    COLORTERM PGHOST PGPORT PGUSER PGPASSWORD PGDATABASE PGDATA PGOPTIONS PGSSLMODE
    PGPASSFILE PYTHONPATH PYTHONUNBUFFERED PYTHONDONTWRITEBYTECODE VIRTUAL_ENV
    PIP_INDEX_URL HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY http_proxy https_proxy
    no_proxy SSH_AUTH_SOCK SSH_CONNECTION SSH_TTY XDG_RUNTIME_DIR XDG_SESSION_ID
    XDG_DATA_DIRS DBUS_SESSION_BUS_ADDRESS CI GITHUB_ACTIONS GITHUB_TOKEN
    GITHUB_WORKSPACE RUNNER_OS AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
    AWS_SECRET_KEY AWS_REGION GOOGLE_APPLICATION_CREDENTIALS KUBERNETES_SERVICE_HOST
    KUBERNETES_SERVICE_PORT KUBERNETES_PORT KUBERNETES_PORT_443_TCP REDIS_HOST
    REDIS_PORT REDIS_PASSWORD REDIS_DB REDIS_SSL REDIS_TLS REDIS_TLS_URL REDIS_USER
    REDIS_PORT_6379_TCP REDIS_SERVICE_HOST REDIS_URL_2 POSTGRES_URL POSTGRES_USER
    POSTGRES_PASSWORD POSTGRES_DB POSTGRES_HOST DATABASE_HOST DATABASE_NAME
    DATABASE_USER DATABASE_PASSWORD DATABASE_PORT DATABASE_PRIVATE_URL
    DATABASE_PUBLIC_URL DATABASE_URL_2 DATABASE_URL1 TEST_DATABASE_URL
    SQLALCHEMY_DATABASE_URI MONGO_URL RABBITMQ_URL CLOUDAMQP_URL BROKER_URL
    CELERY_BROKER_URL CELERY_RESULT_BACKEND FLASK_APP FLASK_DEBUG FLASK_RUN_PORT
    FLASK_SECRET_KEY DJANGO_SECRET_KEY SECRET_KEY_BASE RAILS_MASTER_KEY RAILS_ENV
    RAILS_LOG_LEVEL NODE_ENV RUST_LOG GUNICORN_CMD_ARGS WEB_CONCURRENCY WORKERS DYNO
    STATE_DIRECTORY RUNTIME_DIRECTORY LOGS_DIRECTORY CACHE_DIRECTORY INVOCATION_ID
    JOURNAL_STREAM NOTIFY_SOCKET LISTEN_FDS LISTEN_PID MAINPID SYSTEMD_EXEC_PID
    LOG_FILE LOG_DIR LOG_PATH LOG_STREAM LOG API_KEY APP_KEY APP_SECRET SECRET_TOKEN
    SECRET_ID SECRET ENCRYPTION_KEY PUBLIC_KEY PRIVATE_KEY SIGNING_KEY HOST HOSTS
    PORTS POST SORT EXPORT SMTP_PORT HTTP_PORT APP_PORT APP_CURRENCY
    APP_LOCALE DEFAULT_LOCALE LOCALE_ARCHIVE LOCALE_DIR LOCAL LOCALES
    LOCALHOST DEFAULT_TIMEZONE SENTRY_DSN DD_API_KEY OTEL_SERVICE_NAME UV_CACHE_DIR
    NORTHWIND_DIR LD_LIBRARY_PATH LD_PRELOAD JAVA_HOME GOPATH CARGO_HOME DOCKER_HOST
    COMPOSE_PROJECT_NAME container SNAPSHOT_DIR SEAL_KEY PYTEST_CURRENT_TEST
    ELASTICSEARCH_URL OPENSEARCH_URL DJANGO_CACHE_URL TEST_SEARCH_URL TEST_DOCUMENTS_URL
    PYTEST_ADDOPTS COVERAGE_FILE SUDO_USER DEBIAN_FRONTEND LESS PS1 SECONDS UID
"""


@pytest.mark.parametrize("name", MISSPELT)
def test_a_misspelt_variable_is_refused_with_the_one_that_was_meant(name: str) -> None:
    needed = {n: value for n, value in NEEDED.items() if n != MISSPELT[name]}

    with pytest.raises(BadSetting) as refusal:
        settings_from({**needed, name: "hunter2"})

    assert f"{name} is no variable of ours: did you mean {MISSPELT[name]}?" in str(
        refusal.value
    )
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize("name", FOREIGN.split())
def test_a_variable_of_others_is_left_alone(name: str) -> None:
    assert find_misspelled({name: "1"}, VARIABLES) == []


def test_the_variables_of_this_very_process_are_left_alone() -> None:
    assert find_misspelled(os.environ, VARIABLES) == []


def test_our_own_variables_are_not_taken_for_each_other() -> None:
    assert find_misspelled(dict.fromkeys(VARIABLES, "1"), VARIABLES) == []
    for name in VARIABLES:
        assert find_misspelled({name: "1"}, VARIABLES) == []


def test_who_sets_both_has_another_program_to_serve() -> None:
    both = {"LOGLEVEL": "debug", "LOG_LEVEL": "INFO"}

    assert find_misspelled(both, VARIABLES) == []
    assert find_misspelled({"LOGLEVEL": "debug"}, VARIABLES) == [
        MisspelledVariable("LOGLEVEL", "LOG_LEVEL")
    ]


def test_a_misspelt_variable_without_a_value_is_not_set() -> None:
    assert find_misspelled({"CATCHUP_SECONDS": ""}, VARIABLES) == []


def test_every_variable_that_the_settings_read_is_known() -> None:
    tree = ast.parse((ROOT / "tasks" / "shop" / "settings.py").read_text())
    read = {
        call.args[0].value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "read"
        and isinstance(call.args[0], ast.Constant)
    }

    assert len(read) > 10
    assert read | set(OF_ROLES.values()) <= VARIABLES


def test_a_process_does_not_begin_with_a_misspelt_variable() -> None:
    ended = subprocess.run(
        [
            sys.executable,
            "-c",
            "from tasks.shop.settings import load_settings as l; l()",
        ],
        cwd=ROOT,
        env={**NEEDED, "CATCHUP_SECONDS": "1"},
        capture_output=True,
        text=True,
    )

    assert ended.returncode == 78
    assert ended.stderr.startswith("recount: CATCHUP_SECONDS is no variable of ours")
