"""The Celery application; `celery -A tasks.app worker` starts here."""

import resource
from typing import Any

from celery import Celery
from celery.signals import setup_logging, worker_init, worker_process_init
from celery.utils.nodenames import node_format

from tasks import schedule
from tasks.broker.checks import publishing_limits, warn_of_broker
from tasks.broker.queues import QUEUES, queue_name, queues_of, wait_for_identity
from tasks.heartbeat import pulse
from tasks.shop.startup_checks import refuse_what_loses_data
from tasks.shop.wiring import forget_connections, shop

TIME_LIMIT = 30
"""Seconds after which a task is killed; the relay's child has the same limit."""
SOFT_TIME_LIMIT = 20
MEMORY_LIMIT_KB = 512_000
INCLUDED = [
    "tasks.commands",
    "tasks.catch_up",
    "tasks.snapshots",
    "tasks.seals",
    "tasks.audit",
    "tasks.leftovers",
    "tasks.demo",
    # It has no task: it starts the heartbeats of workers and beat.
    "tasks.heartbeat.processes",
]

app = Celery("recount", include=INCLUDED)


def configuration() -> dict[str, Any]:
    """Return Celery's settings; called at first use, never at import."""
    settings = shop().settings
    identity = wait_for_identity(shop())
    commands, projections, maintenance = (queue_name(q, identity) for q in QUEUES)
    return {
        "broker_url": settings.broker_url,
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_ignore_result": True,
        "task_store_errors_even_if_ignored": False,
        # Early: a late one turns a message that kills its worker into a crash loop.
        # The journal keeps the promise, not the message.
        "task_acks_late": False,
        "worker_prefetch_multiplier": 1,
        "worker_consumer": "tasks.consumer:PatientConsumer",
        # Reconnect on the errors that this consumer counts as a lost connection.
        "broker_channel_error_retry": True,
        "task_soft_time_limit": SOFT_TIME_LIMIT,
        "task_time_limit": TIME_LIMIT,
        "worker_max_tasks_per_child": 10_000,
        "worker_max_memory_per_child": MEMORY_LIMIT_KB,
        "worker_soft_shutdown_timeout": 5.0,
        # With it, any client of the broker could shut down workers.
        "worker_enable_remote_control": False,
        "worker_send_task_events": False,
        "worker_hijack_root_logger": False,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "broker_connection_retry_on_startup": True,
        # None retries for ever; 0 does not.
        "broker_connection_max_retries": None,
        # A web thread that finds none free gives up, and the relay runs the command.
        "broker_pool_limit": 20,
        "broker_pool_acquire_timeout": 1.0,
        # A worker started without -Q serves all queues.
        "task_queues": queues_of(identity),
        "task_default_queue": commands,
        "task_routes": {
            "execute": {"queue": commands},
            "catch_up": {"queue": projections},
            "take_snapshots": {"queue": maintenance},
            "seal": {"queue": maintenance},
            "export_seals": {"queue": maintenance},
            "audit": {"queue": maintenance},
            "drop_leftovers": {"queue": maintenance},
            "fill_with_demo": {"queue": maintenance},
        },
        # A frozen broker must not freeze the publisher. The second dictionary repeats
        # the timeouts of the first: without it they do not hold for connecting.
        "broker_transport_options": publishing_limits(settings.broker_url),
        "task_publish_retry": True,
        "task_publish_retry_policy": {
            "max_retries": 1,
            "interval_start": 0,
            "interval_step": 0.1,
            "interval_max": 0.1,
        },
        "timezone": "UTC",
        "enable_utc": True,
        "beat_scheduler": "tasks.schedule:Scheduler",
        "beat_schedule": schedule.entries(settings),
    }


app.add_defaults(configuration)


@setup_logging.connect
def set_up_logging(**_: object) -> None:
    # Only workers and beat: an operator's command needs no logs of ours.
    from tasks.shop.logging import log_to_stderr

    settings = shop().settings
    log_to_stderr(settings.log_level, settings.log_format)


@worker_init.connect
def start_worker(**_: object) -> None:
    # So a message that needs too much memory is left out like other bad messages.
    limit_memory()
    refuse_what_loses_data(shop())
    warn_of_broker(shop())
    # Before the fork: of the code that is loaded, and once for all children.
    shop().deciders.compute_fingerprints()


@worker_process_init.connect
def start_child(**_: object) -> None:
    limit_memory()
    forget_connections()
    # The number of this process in the pool, from 1; 0 without a pool. A process that
    # replaces another has its number.
    number = int(node_format("%i", "worker@host"))
    pulse.begin(shop().pulses, max(number - 1, 0))


def limit_memory() -> None:
    """
    Limit this process's memory: beyond the limit an allocation raises MemoryError.

    Celery's own limit replaces a child only after its task, which may never end. This
    limit is twice that; shared memory and mapped files do not count.
    """
    limit = MEMORY_LIMIT_KB * 1024 * 2
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
