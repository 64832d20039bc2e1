"""
Settings of the Procfile's gunicorn: `gunicorn --config python:webapp.serving.gunicorn`.

Gunicorn reads these names when it starts; options of its command line override them.
"""

from tasks.shop.settings import load_settings

_settings = load_settings("web")

bind = f"127.0.0.1:{_settings.port}"
workers = _settings.web_processes
threads = _settings.web_threads
worker_class = "webapp.serving.worker.Worker"
# The processes share what was loaded before the fork, and a bad setting is logged once.
preload_app = True
# Requests in progress are finished; without any, stopping `up` does not wait.
graceful_timeout = 20
control_socket_disable = True
