"""The name of this process in PostgreSQL's list of sessions."""

from collections.abc import Sequence
from pathlib import Path

WEB = ("gunicorn", "flask")
COMMAND_LINE = "cli"


def process_name(arguments: Sequence[str]) -> str:
    """
    Return web, worker, beat, relay, or the command given to `recount`.

    *arguments* are those of `sys.argv`, so forked processes have their parent's name.
    """
    path = Path(arguments[0] if arguments else "")
    # `python -m celery` runs celery/__main__.py.
    program = path.parent.name if path.stem == "__main__" else path.stem
    following = [word for word in arguments[1:] if not word.startswith("-")]
    if program in WEB:
        return "web"
    if program == "celery":
        return next((word for word in following if word in ("worker", "beat")), program)
    if program == COMMAND_LINE and following:
        return following[0]
    return program or "python"
