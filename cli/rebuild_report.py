"""What a rebuild says in the end: what differed from the live rows, and what to do."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from eventstore.errors import CannotProject, RebuildFailed
from eventstore.errors.rebuilding import (
    FillingBrokeOff,
    RowsDiffer,
    RowsNotCompared,
    ViewInUse,
)
from eventstore.projections.projection import Projection
from eventstore.projections.table_differences import DifferenceCounts, RowDifference
from eventstore.rebuilding.comparing import Comparison
from eventstore.rebuilding.result import Rebuilt
from readmodels.rows_in_words import Words

MAX_SENTENCES = 10
FOLDS = {
    "same": "filled by the same code",
    "changed": "filled by other code than the live rows",
    "unknown": "by which code the live rows were filled is not known",
}


def lines_of(comparison: Comparison, words: Words) -> Iterator[str]:
    """Yield what a comparison has found, in sentences."""
    where = f"compared at position {comparison.position:,}, {FOLDS[comparison.fold]}"
    if not comparison.is_whole:
        yield (
            f"{where}: the definition has changed, and only columns that both have were"
            f" compared ({', '.join(comparison.columns)})"
        )
        yield f"{rows(comparison.rows.rows)} in these"
        return
    apart = comparison.rows.apart + sum(o.apart for o in comparison.lookups.values())
    kept = f"; {rows(apart)} in parked streams" if apart else ""
    if unnamed := comparison.parked_unnamed:
        streams = "1 stream is" if unnamed == 1 else f"{unnamed:,} streams are"
        kept += f"; {streams} parked, and which rows these feed is not known"
    if not comparison.differing:
        yield f"{where}: no row differs{kept}"
        return
    yield f"{where}: {rows(comparison.differing)}{kept}"
    shown = comparison.examples[:MAX_SENTENCES]
    for difference in shown:
        yield f"  {words.sentence(difference)}"
    if more := comparison.rows.rows - len(shown):
        yield f"  {more:,} more"
    yield from counts_of(comparison.rows, "")
    for name, counts in comparison.lookups.items():
        if counts.rows:
            yield from counts_of(counts, f" in the look-up {name}")


def rows(count: int) -> str:
    return "1 row differs" if count == 1 else f"{count:,} rows differ"


def counts_of(counts: DifferenceCounts, where: str) -> Iterator[str]:
    """Yield how many rows came, went and changed, and in which columns."""
    parts = [
        f"{count:,} {what}"
        for count, what in (
            (counts.came, "new"),
            (counts.went, "gone"),
            (counts.changed, "changed"),
        )
        if count
    ]
    if parts:
        columns = ", ".join(
            f"{name} {count:,}" for name, count in counts.columns.items()
        )
        yield f"  {', '.join(parts)}{where}{f': {columns}' if columns else ''}"


def comparison_as_json(comparison: Comparison, words: Words) -> dict[str, Any]:
    """Return all of a comparison, with its examples in words and in values."""
    return {
        "position": comparison.position,
        "fold": comparison.fold,
        "columns": list(comparison.columns),
        "is_whole": comparison.is_whole,
        "differing": comparison.differing,
        "parked_unnamed": comparison.parked_unnamed,
        "rows": asdict(comparison.rows),
        "lookups": {name: asdict(one) for name, one in comparison.lookups.items()},
        "examples": [difference_as_json(one, words) for one in comparison.examples],
        "milliseconds_held": round(comparison.seconds_held * 1000, 1),
    }


def difference_as_json(difference: RowDifference, words: Words) -> Mapping[str, Any]:
    return {
        "key": difference.key,
        "columns": list(difference.columns),
        "sentence": words.sentence(difference),
        "before": difference.before,
        "after": difference.after,
    }


def rebuilt_as_json(
    projection: Projection, rebuilt: Rebuilt, words: Words
) -> dict[str, Any]:
    """Return what came of a rebuild."""
    comparison = rebuilt.comparison
    return {
        "read_model": projection.name,
        "is_live": rebuilt.is_live,
        "generation": rebuilt.generation,
        "position": rebuilt.position,
        "seconds": round(rebuilt.seconds, 3),
        "milliseconds_of_swap": round(rebuilt.seconds_of_swap * 1000, 1),
        "comparison": comparison and comparison_as_json(comparison, words),
        "not_compared": rebuilt.not_compared,
        "would_be_refused": rebuilt.refusal and str(rebuilt.refusal),
    }


def refused_as_json(
    projection: Projection,
    error: RebuildFailed,
    found: Sequence[Comparison],
    words: Words,
) -> dict[str, Any]:
    """Return why a rebuild has failed, and what a comparison had found."""
    return {
        "read_model": projection.name,
        "is_live": False,
        "error": str(error),
        "is_kept": isinstance(error, RowsDiffer | FillingBrokeOff | ViewInUse),
        "comparison": comparison_as_json(found[-1], words) if found else None,
    }


def way_out(read_model: str, error: RebuildFailed) -> str:
    """Return what else can be done about it, as the end of a line."""
    if isinstance(error, RowsDiffer):
        return (
            f": recount rebuild {read_model} --accept-differences {error.differing}."
            " What was filled is kept until then"
        )
    if isinstance(error, RowsNotCompared):
        return f": recount rebuild {read_model} --accept-differences any"
    if isinstance(error.__cause__, CannotProject):
        return (
            ". Mend the code; or, where it is this event alone, leave its stream out:"
            f" recount rebuild {read_model} --park"
        )
    return ""
