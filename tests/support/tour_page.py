"""
The page of the tour: what `./recount tour --yes` prints, as `docs/tour.md` has it.

`.venv/bin/python -m tests.support.tour_page` runs the tour and writes the page. What is
another in each run stands in « »; numbers that follow from the day of the week are left
as they were, and not compared.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator

from embedded.folders import ROOT
from embedded.tour.steps import STEPS

PAGE = ROOT / "docs" / "tour.md"
COMMAND = [sys.executable, "-P", "-m", "embedded", "tour", "--yes"]
MASKS = (
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "«id»"),
    (r"\b[0-9a-f]{32}\b", "«hash»"),
    (r"/login/\S+", "/login/«secret»"),
    (r'"box": "\S+', '"box": "«encrypted»'),
    (r"/tmp/recount-tour-[^/\s']+", "«folder»"),
    (r"/tmp/recount-\d+-[0-9a-f]{12}", "«sockets»"),
    (r"\S*/bin/psql ", "psql "),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:5000"),
    (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[.\d]*(\+[\d:]+)?", "«time»"),
    (r"\d{1,2} [A-Z][a-z]{2} \d{4}, \d\d:\d\d", "«time»"),
    (r"\d{4}-\d\d-\d\d", "«date»"),
    (r"\b(worker|relay):\S+:\d+", "«process»"),
    (r"kill -9 -- -\d+", "kill -9 -- -«pid»"),
    (r"\d+(\.\d+)? s\b", "«seconds» s"),
)
NOT_COMPARED = re.compile(
    r"the seals vouch|not sealed yet|caught up|[\w'#. -]+: # of #$"
)
"""Lines that depend on how far others were by then: seals, read models, progress."""


def masked(output: str) -> str:
    """Return *output* with a word for what is another in each run."""
    for pattern, word in MASKS:
        output = re.sub(pattern, word, output)
    return output


def page_of(output: str) -> str:
    """Return the page with the *output* of a whole tour, and the text above it."""
    head = PAGE.read_text().partition("\n## ")[0]
    return "\n".join([head, *sections(masked(output))])


def sections(output: str) -> Iterator[str]:
    parts = re.split(r"^(?:\d+\. )?.+\n-{5,}\n", output, flags=re.MULTILINE)[1:]
    welcome, *steps = parts
    if len(steps) != len(STEPS):
        raise ValueError(f"{len(steps)} steps were shown, not {len(STEPS)}")
    yield "## The shop\n"
    yield section(welcome)
    for number, (step, part) in enumerate(zip(STEPS, steps, strict=True), start=1):
        statements = ", ".join(map(str, step.statements))
        yield f"## {number}. {step.title} ({statements})\n"
        yield section(part)


def section(part: str) -> str:
    """Return a text, and behind it as code what was run."""
    text, _, ran = part.strip("\n").partition("\n\n")
    ran = re.sub(r"\n+(stopping the shop|That was the tour)(.|\n)*", "", ran)
    lines = (line.removeprefix("  ") for line in ran.strip("\n").split("\n"))
    return f"{text}\n\n```text\n{chr(10).join(lines)}\n```\n"


def comparable(page: str) -> list[str]:
    """Return the lines of *page* without what is not compared."""
    found: list[str] = []
    for line in page.splitlines():
        plain = re.sub(r"\d[\d,.]*", "#", line)
        plain = re.sub(r"\s+", " ", re.sub(r"-{3,}", "---", plain)).strip(" |")
        if plain and not NOT_COMPARED.match(plain):
            found.append(plain)
    return found


def run_tour() -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        COMMAND,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


if __name__ == "__main__":
    ended = run_tour()
    if ended.returncode:
        sys.exit(ended.stdout + ended.stderr)
    PAGE.write_text(page_of(ended.stdout))
    print(PAGE.relative_to(ROOT))
