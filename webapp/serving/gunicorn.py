"""
How the Procfile's gunicorn serves: `gunicorn --config python:webapp.serving.gunicorn`.

It is gunicorn that reads these names, when it starts; what is given to it on its
command line comes before them.
"""

from tasks.shop.settings import load_settings

_settings = load_settings("web")

bind = f"127.0.0.1:{_settings.port}"
workers = _settings.web_processes
threads = _settings.web_threads
worker_class = "webapp.serving.worker.Worker"
# What they read at their start they share, and a bad setting is told once.
preload_app = True
# What is under way is finished; who stops `up` does not wait where nothing is.
graceful_timeout = 20
control_socket_disable = True
