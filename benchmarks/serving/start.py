"""
Serve the shop by one of the servers that could: `python -m benchmarks.serving.start`.

Each is set as its own documentation has it for production, with 16 threads a process
where it has threads, and so that a connection may lie idle for 75 seconds.
"""

import os
import sys
from collections.abc import Callable, Mapping

THREADS = 16
IDLE = 75
APP = "webapp:create_app()"


def gunicorn(kind: str, *options: str) -> Callable[[str, int], None]:
    def serve(port: str, processes: int) -> None:
        words = ["--no-control-socket", "--bind", f"127.0.0.1:{port}", "--preload"]
        words += ["--workers", str(processes), "--worker-class", kind]
        words += ["--graceful-timeout", "10", *options, APP]
        become("gunicorn", *words)

    return serve


def waitress(port: str, processes: int) -> None:
    from waitress import serve

    app = application()
    serve(
        app,
        listen=f"127.0.0.1:{port}",
        threads=THREADS,
        connection_limit=2000,
        channel_timeout=IDLE,
        asyncore_use_poll=True,
    )


def granian(port: str, processes: int) -> None:
    words = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", port]
    words += ["--workers", str(processes), "--blocking-threads", str(THREADS)]
    words += ["--http1-header-read-timeout", "60000", "--no-ws"]
    become("granian", *words, "--factory", f"{MODULE}:application")


def uvicorn(port: str, processes: int) -> None:
    words = ["--host", "127.0.0.1", "--port", port, "--workers", str(processes)]
    words += ["--timeout-keep-alive", str(IDLE), "--no-access-log", "--factory"]
    become("uvicorn", *words, f"{MODULE}:as_asgi")


MODULE = "benchmarks.serving.start"


def as_asgi() -> object:
    from a2wsgi import WSGIMiddleware

    return WSGIMiddleware(application(), workers=THREADS)


def application() -> object:
    # The shop tells by the name of its program that it serves the web.
    sys.argv[0] = "gunicorn"
    from webapp import create_app

    return create_app()


def become(module: str, *words: str) -> None:
    os.execv(sys.executable, [sys.executable, "-m", module, *words])


SERVERS: Mapping[str, Callable[[str, int], None]] = {
    "gthread as it was": gunicorn(
        "gthread", "--threads", str(THREADS), "--keep-alive", "2"
    ),
    "gevent": gunicorn(
        "gevent", "--worker-connections", "2000", "--keep-alive", str(IDLE)
    ),
    "waitress": waitress,
    "granian": granian,
    "uvicorn, a2wsgi": uvicorn,
}

if __name__ == "__main__":
    SERVERS[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
