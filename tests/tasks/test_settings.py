"""The settings: a wrong one ends the process before it does anything."""

import os
import subprocess
import sys
from zoneinfo import ZoneInfo

import pytest

from eventstore.subscriptions.snapshot_taker import SnapshotPolicy
from tasks.shop.bad_setting import BadSetting
from tasks.shop.setting_values import master_keys
from tasks.shop.settings import Settings, role_of, settings_from
from tests.support.databases import MASTER_KEY, ROOT

NEEDED = {
    "DATABASE_URL": "postgresql://alice:hunter2@db.example:5432/shop",
    "REDIS_URL": "redis://redis.example:6379/0",
    "MASTER_KEY": MASTER_KEY,
    "SECRET_KEY": "0123456789abcdef0123456789abcdef",
}
DATABASE_FORM = "expected postgresql://user:password@host:5432/name"
BROKER_FORM = (
    "expected redis://host:6379/0, redis+socket:///path/to.sock or amqp://host"
)
MASTER_KEY_FORM = (
    "expected 32 bytes of chance in base64; a comma and a former one may follow"
)

POLICY = "a number from 1 on or never, and by category, like 100,order=never"
NETWORKS = "networks like 10.1.0.0/16, with commas between them"
LOCALE_FORM = "expected a language, or one and a country, like en, de_DE or en_IN"
WRONG = [
    ("DATABASE_URL", "", DATABASE_FORM),
    ("DATABASE_URL", "alice:hunter2@db.example", DATABASE_FORM),
    ("DATABASE_URL", "mysql://alice:hunter2@db.example/shop", DATABASE_FORM),
    ("DATABASE_URL", "sqlite:///hunter2.db", DATABASE_FORM),
    ("REDIS_URL", "", BROKER_FORM),
    ("REDIS_URL", "hunter2@redis.example", BROKER_FORM),
    ("REDIS_URL", "http://hunter2@redis.example", BROKER_FORM),
    ("MASTER_KEY", "", MASTER_KEY_FORM),
    ("MASTER_KEY", "hunter2", MASTER_KEY_FORM),
    ("MASTER_KEY", "AAAA" * 10 + "AAA=", MASTER_KEY_FORM),
    ("MASTER_KEY", MASTER_KEY[:-4], MASTER_KEY_FORM),
    ("SECRET_KEY", "", "expected at least 32 characters of chance"),
    ("SECRET_KEY", "hunter2", "expected at least 32 characters of chance"),
    ("SECRET_KEY", "hunter2" * 5, "expected at least 32 characters of chance"),
    ("PORT", "0", "expected a number from 1 to 65535"),
    ("PORT", "65536", "expected a number from 1 to 65535"),
    ("PORT", "hunter2", "expected a number from 1 to 65535"),
    ("WEB_PROCESSES", "0", "expected a number from 1 to 64"),
    ("WEB_PROCESSES", "hunter2", "expected a number from 1 to 64"),
    ("WEB_THREADS", "65", "expected a number from 1 to 64"),
    ("CURRENCY", "euro", "expected three letters, like EUR"),
    ("CURRENCY", "EURO", "expected three letters, like EUR"),
    ("TIMEZONE", "Europe/Hunter2", "expected a name like Europe/Berlin"),
    ("TIMEZONE", "../../etc/passwd", "expected a name like Europe/Berlin"),
    *(
        ("LOCALE", value, LOCALE_FORM)
        for value in ("hunter2", "German", "xx", "de_US", "de_de_de", "../hunter2")
    ),
    ("LOG_LEVEL", "hunter2", "expected DEBUG, INFO, WARNING or ERROR"),
    ("LOG_FORMAT", "hunter2", "expected text or json"),
    ("CATCH_UP_SECONDS", "0", "expected seconds above 0"),
    ("CATCH_UP_SECONDS", "nan", "expected seconds above 0"),
    ("CATCH_UP_SECONDS", "inf", "expected seconds above 0"),
    ("CATCH_UP_SECONDS", "hunter2", "expected seconds above 0"),
    ("CATCH_UP_SIGNALS", "hunter2", "expected on or off"),
    *(
        ("SNAPSHOT_EVENTS", value, f"expected {POLICY}")
        for value in ("0", "2147483648", "hunter2", "100,50", "order=", "=7", "a=1,9")
    ),
    ("SNAPSHOT_SECONDS", "0", "expected seconds above 0"),
    ("SNAPSHOT_SECONDS", "hunter2", "expected seconds above 0"),
    ("UNPAID_DAYS", "0", "expected days from 1 to 3650, or never"),
    ("CONFLICT_RETRIES", "0", "expected a number from 1 to 100"),
    ("UNPAID_DAYS", "3651", "expected days from 1 to 3650, or never"),
    ("UNPAID_DAYS", "a month", "expected days from 1 to 3650, or never"),
    ("SEAL_SECONDS", "0", "expected seconds above 0"),
    ("SEAL_SECONDS", "hunter2", "expected seconds above 0"),
    ("SEALS_EXPORT_DIR", "hunter2", "expected an absolute path"),
    ("PAST_COPIES", "0", "expected a number from 1 to 1000"),
    *(
        ("PAST_BYTES", value, "expected bytes, like 500MB or 2GiB")
        for value in ("0", "hunter2", "2Gi", "-1", "1.5GB", "5KiBB")
    ),
    *(
        ("WEBHOOK_ALLOW_PRIVATE", value, f"expected {NETWORKS}")
        for value in ("hunter2", "10.1.0.0/33", "10.1.2.3/16", "10.0.0.0/8,")
    ),
]


def settings_with(**changed: str) -> Settings:
    return settings_from({**NEEDED, **changed})


@pytest.mark.parametrize(("name", "value", "form"), WRONG)
def test_a_wrong_variable_is_told_by_its_name_and_its_form(
    name: str, value: str, form: str
) -> None:
    with pytest.raises(BadSetting) as wrong:
        settings_with(**{name: value})

    assert str(wrong.value) == f"{name}: {form}"


@pytest.mark.parametrize(("name", "value", "form"), WRONG)
def test_a_wrong_variable_is_told_without_its_value(
    name: str, value: str, form: str
) -> None:
    with pytest.raises(BadSetting) as wrong:
        settings_with(**{name: value})

    assert "hunter2" not in str(wrong.value).lower()


@pytest.mark.parametrize("name", NEEDED)
def test_what_has_no_default_must_be_told(name: str) -> None:
    environment = {key: value for key, value in NEEDED.items() if key != name}

    with pytest.raises(BadSetting, match=name):
        settings_from(environment)


@pytest.mark.parametrize(
    ("value", "policy"),
    [
        ("50", SnapshotPolicy(50)),
        ("never", SnapshotPolicy(None)),
        ("100,order=never", SnapshotPolicy(100, {"order": None})),
        (
            "never, customer=20, order=5",
            SnapshotPolicy(None, {"customer": 20, "order": 5}),
        ),
        ("order=7", SnapshotPolicy(20, {"order": 7})),
    ],
)
def test_snapshots_are_taken_by_category(value: str, policy: SnapshotPolicy) -> None:
    assert settings_with(SNAPSHOT_EVENTS=value).snapshot_policy == policy


@pytest.mark.parametrize("role", ["web", "worker", "relay", "operator", "admin"])
def test_a_process_has_the_database_of_its_role_or_that_of_all(role: str) -> None:
    own = f"{role.upper()}_DATABASE_URL"
    environment = {**NEEDED, own: "postgresql://own@db.example/shop"}

    assert settings_from(environment, role).database_url.endswith("own@db.example/shop")
    assert settings_from(NEEDED, role).database_url == settings_with().database_url


@pytest.mark.parametrize("name", ["REPLICA_DATABASE_URL", "READ_DATABASE_URL"])
def test_a_database_to_read_from_is_named_by_itself(name: str) -> None:
    url = "postgres://reader@db2.example/shop"
    settings = settings_from({**NEEDED, name: url}, "web")

    assert getattr(settings, name.lower()) == url.replace(
        "postgres:", "postgresql+psycopg:"
    )
    assert settings.database_url == settings_with().database_url
    assert getattr(settings_with(), name.lower()) is None
    with pytest.raises(BadSetting, match=f"^{name}: {DATABASE_FORM}$"):
        settings_from({**NEEDED, name: "db2.example"}, "web")


@pytest.mark.parametrize(
    ("process", "role"),
    [
        ("web", "web"),
        ("worker", "worker"),
        ("beat", "worker"),
        ("relay", "relay"),
        ("status", "operator"),
        ("rebuild", "operator"),
    ],
)
def test_a_process_has_the_role_of_what_it_does(process: str, role: str) -> None:
    assert role_of(process) == role


def test_what_is_not_told_has_a_default() -> None:
    assert settings_with() == Settings(
        database_url="postgresql+psycopg://alice:hunter2@db.example:5432/shop",
        broker_url="redis://redis.example:6379/0",
        secret_key="0123456789abcdef0123456789abcdef",
        master_keys=master_keys(MASTER_KEY),
        port=5000,
        currency="EUR",
        timezone=ZoneInfo("UTC"),
        locale="en",
        log_level="INFO",
        log_format="text",
        catch_up_seconds=5.0,
        catch_up_signals=True,
        snapshot_policy=SnapshotPolicy(20),
        snapshot_seconds=30.0,
        seal_seconds=10.0,
        seals_export_dir=None,
    )


@pytest.mark.parametrize(
    ("value", "locale"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-DE", "de_DE"),
        ("de_de.UTF-8", "de_DE"),
        ("zh-Hant-TW", "zh_Hant_TW"),
    ],
)
def test_a_locale_is_written_as_programs_or_browsers_write_it(
    value: str, locale: str
) -> None:
    assert settings_with(LOCALE=value).locale == locale


def test_an_empty_variable_is_as_good_as_none() -> None:
    assert settings_with(PORT="", TIMEZONE="") == settings_with()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_the_database_is_reached_through_psycopg(scheme: str) -> None:
    settings = settings_with(DATABASE_URL=f"{scheme}://alice@db.example/shop?a=b")

    assert settings.database_url == "postgresql+psycopg://alice@db.example/shop?a=b"


@pytest.mark.parametrize(
    "url",
    [
        "redis://redis.example:6379/0",
        "rediss://redis.example:6379/0",
        "redis+socket:///run/redis.sock",
        "amqp://rabbit.example",
        "amqps://rabbit.example",
    ],
)
def test_a_broker_that_celery_knows_is_left_as_it_is(url: str) -> None:
    assert settings_with(REDIS_URL=url).broker_url == url


def test_a_socket_is_written_as_celery_wants_it() -> None:
    settings = settings_with(REDIS_URL="unix:///run/redis.sock")

    assert settings.broker_url == "redis+socket:///run/redis.sock"


@pytest.mark.parametrize(("written", "meant"), [("ON", True), ("off", False)])
def test_a_switch_is_on_or_off(written: str, meant: bool) -> None:
    assert settings_with(CATCH_UP_SIGNALS=written).catch_up_signals is meant


def test_a_level_may_be_written_small() -> None:
    assert settings_with(LOG_LEVEL="debug").log_level == "DEBUG"


@pytest.fixture(scope="module")
def ended() -> subprocess.CompletedProcess[str]:
    """A process that was started with a port that is none."""
    return subprocess.run(
        [
            sys.executable,
            "-c",
            "from tasks.shop.settings import load_settings as l; l()",
        ],
        cwd=ROOT,
        env={**os.environ, **NEEDED, "PORT": "hunter2"},
        check=False,
        capture_output=True,
        text=True,
    )


def test_a_wrong_variable_ends_the_process_as_service_managers_expect(
    ended: subprocess.CompletedProcess[str],
) -> None:
    assert ended.returncode == 78


def test_a_wrong_variable_is_told_in_one_line(
    ended: subprocess.CompletedProcess[str],
) -> None:
    assert ended.stderr == "recount: PORT: expected a number from 1 to 65535\n"


@pytest.mark.parametrize(
    ("written", "size"),
    [("500MB", 500_000_000), ("2GiB", 2**31), ("1024", 1024), ("1 KB", 1_000)],
)
def test_a_size_is_written_with_its_unit(written: str, size: int) -> None:
    assert settings_with(PAST_BYTES=written).past_bytes == size
