"""What a file of CSV is asked besides its list, and what it is called."""

from datetime import datetime

from flask import Response

from eventstore.projections.freshness import Freshness
from webapp.current_shop import the_shop
from webapp.past.moment_asked import moment_shown
from webapp.problems import position_fields
from webapp.query_parameters import flag


def has_bom() -> bool:
    return flag("bom") or False


def called(answer: Response, name: str, position: Freshness) -> Response:
    """Name the file, and say in headers what the page would say of its rows' age."""
    file_name = f"{name}-{moment_in_name()}.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{file_name}"'
    told = position_fields(position)
    for field in ("behind", "left_out", "stands_still_since", "stands_still_because"):
        if told.get(field):
            header = "-".join(part.capitalize() for part in field.split("_"))
            answer.headers[f"Recount-{header}"] = str(told[field])
    parked = sum(omission.number for omission in position.parked.values())
    if parked:
        answer.headers["Recount-Parked"] = str(parked)
    return answer


def moment_in_name() -> str:
    """Return the day, by the shop's clocks, of which the rows are; or the position."""
    zone, past = the_shop().settings.timezone, moment_shown()
    if past is not None and past.at is None:
        return f"as-of-{past.position}"
    at = datetime.now(zone) if past is None or past.at is None else past.at
    return f"{at.astimezone(zone):%Y-%m-%d}"
