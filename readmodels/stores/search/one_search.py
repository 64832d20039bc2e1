"""One search in the search store: its requests, and the page made of their answers."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, cast

import msgspec

from eventstore.errors import BadCursor
from eventstore.errors.stores import StoreAway, Unanswerable
from eventstore.projections.views import Page
from eventstore.stores.row_store import Checkpoint
from readmodels.stores.search.answers import (
    SearchAnswer,
    SearchAnswers,
    StoredDocument,
    checked,
    whole,
)
from readmodels.stores.search.client import Answer, Body
from readmodels.stores.search.forms import CHECKPOINT, Form, comparable
from readmodels.stores.search.store import SearchStore
from readmodels.stores.search.wanted import Query, SearchTerms


class SearchQuestion(NamedTuple):
    """
    One search as it was asked for, whatever the list.

    *where* has further conditions, *first* is the query for the row that comes before
    all others. *sort*, *after* and *limit* are as for `View.page`.
    """

    wanted: SearchTerms
    where: Sequence[Query]
    first: Query | None
    sort: str
    after: str | None
    limit: int


class Search:
    """One search in the search store; all of its requests have *seconds* together."""

    def __init__(
        self, store: SearchStore, form: Form, asked: SearchQuestion, seconds: float
    ) -> None:
        self.client = store.client
        self.form = form
        self.asked = asked
        self.index = f"{store.prefix}-{form.projection.name}"
        self.end = time.monotonic() + seconds
        self.is_down = asked.sort.startswith("-")
        # Before any request: a cursor that is none is the client's fault.
        self.begin = None if asked.after is None else self.place(asked.after)

    def page(self) -> tuple[Page[Any], Checkpoint]:
        """Return the rows that are found exactly, and how far they are."""
        asked = self.asked
        body = self.body(self.asked.wanted.query(), asked.limit + 1)
        if self.begin is not None:
            body["search_after"] = self.begin
        found = self.search(body | self.with_checkpoint(body["query"]))
        hits, limit = found.hits.hits, asked.limit
        rows = [self.shown(hit) for hit in hits[:limit]]
        following = None
        if len(hits) > limit and rows:
            following = self.cursor_at(hits[limit - 1])
        return Page(rows, following), self.checkpoint_in(found)

    def with_similar(self, page: Page[Any]) -> Page[Any]:
        """Return a first page that has room with rows that are like what was asked."""
        room = self.asked.limit - len(page.rows)
        if self.asked.after is not None or page.following is not None or room <= 0:
            return page
        wanted = self.asked.wanted
        named = wanted.asked_first()
        if not any(wanted.parts):
            return page
        similar = wanted.similar(self.find_any(named))
        if similar is None:
            return page
        hits = self.search(self.body(similar, room)).hits.hits
        more = [self.shown(hit) for hit in hits]
        return replace(page, rows=[*page.rows, *more], similar=len(more))

    def body(self, query: Query, size: int) -> dict[str, Any]:
        """Return the request for the first *size* rows that *query* finds."""
        first, order = self.asked.first, "desc" if self.is_down else "asc"
        view = self.form.view
        condition: dict[str, Any] = {"filter": [query, *self.asked.where]}
        sort = [{f"by_{name}": order} for name in view.place_of(self.asked.sort)]
        if first is not None:
            # Its score is 1, and that of all others 0.
            condition["should"] = [{"constant_score": {"filter": first}}]
            sort.insert(0, {"_score": "desc"})
        # Whole documents: to leave a part out, the server would read and write each.
        return {
            "size": size,
            "query": {"bool": condition},
            "sort": sort,
        }

    def with_checkpoint(self, query: Query) -> dict[str, Any]:
        """Return what has a search find the checkpoint, too, apart from the rows."""
        checkpoint: Query = {"term": {"is_checkpoint": True}}
        first = {"top_hits": {"size": 1, "_source": ["checkpoint"]}}
        return {
            "query": {"bool": {"should": [query, checkpoint]}},
            "post_filter": {"bool": {"must_not": [checkpoint]}},
            "aggs": {CHECKPOINT: {"filter": checkpoint, "aggs": {"first": first}}},
        }

    def find_any(self, named: Mapping[str, Query]) -> Collection[str]:
        """Return the names of those queries that find a row, by one request."""
        # Not by an aggregation, which would count all rows that each of them finds.
        shape = {"size": 0, "terminate_after": 1, "track_total_hits": True}
        lines = [
            msgspec.json.encode(line)
            for query in named.values()
            for line in ({}, {**shape, "query": query})
        ]
        answers = self.client.read(self.ask("POST", "_msearch", lines), SearchAnswers)
        if len(answers.responses) != len(named):
            raise StoreAway(self.client.store, "its answer has an unknown form")
        return {
            name
            for name, found in zip(named, answers.responses, strict=True)
            if checked(self.client, found).hits.total.value
        }

    def search(self, body: Mapping[str, Any]) -> SearchAnswer:
        asked = {"track_total_hits": False, **body}
        return whole(self.client, self.ask("POST", "_search", asked))

    def written(self) -> Checkpoint:
        """Return the checkpoint as it was written last, in view or not."""
        answer = self.ask("GET", f"_doc/{CHECKPOINT}")
        found = self.client.read(answer, StoredDocument).source
        return (found and found.checkpoint) or Checkpoint()

    def refresh(self) -> None:
        """Have all that was written come into view."""
        self.ask("POST", "_refresh")

    def ask(self, method: str, what: str, body: Body = None) -> Answer:
        """Return the answer to a request, within the time that is left."""
        left = self.seconds_left
        if left <= 0:
            raise StoreAway(self.client.store, "it did not answer in time")
        path = f"/{self.index}/{what}"
        answer = self.client.ask(method, path, body, seconds=left, accepts=(404,))
        if answer.status == 404:
            raise StoreAway(self.client.store, "no copy of it answers yet")
        return answer

    @property
    def seconds_left(self) -> float:
        return self.end - time.monotonic()

    def checkpoint_in(self, found: SearchAnswer) -> Checkpoint:
        """Return the checkpoint. Raises StoreAway if it is lost, and rows with it."""
        first = found.aggregations[CHECKPOINT].first
        hits = first.hits.hits if first else []
        checkpoint = hits[0].source.checkpoint if hits and hits[0].source else None
        if checkpoint is None:
            raise StoreAway(self.client.store, "its index has no checkpoint")
        return checkpoint

    def shown(self, hit: StoredDocument) -> Any:
        """Return the row in a document as the list shows it."""
        return self.decoded(self.form.shown, hit)

    def decoded(self, decode: Callable[[msgspec.Raw], Any], hit: StoredDocument) -> Any:
        """Return what *decode* makes of a document's row. Raises Unanswerable."""
        if hit.source is None:
            raise Unanswerable(self.client.store, "its answer has an unknown form")
        try:
            return decode(hit.source.row)
        except msgspec.MsgspecError as error:
            # A new copy is filled, and the one of the code before answers.
            raise Unanswerable(
                self.client.store, "its rows are of another version"
            ) from error

    def cursor_at(self, hit: StoredDocument) -> str:
        """Return the cursor behind a document, as `View.page` makes it."""
        row = self.decoded(self.form.row, hit)
        view, sort = self.form.view, self.asked.sort
        place = {name: getattr(row, name) for name in view.place_of(sort)}
        flag = None
        if self.asked.first is not None:
            flag = (hit.sort[0] == 1) is self.is_down
        return view.cursor_at(cast(Any, place), sort, flag)

    def place(self, cursor: str) -> Sequence[Any]:
        """Return the values behind which a page begins. Raises BadCursor."""
        has_flag = self.asked.first is not None
        place = self.form.view.place_in(cursor, self.asked.sort, has_flag)
        score = [float(place.pop(0) is self.is_down)] if has_flag else []
        try:
            return [*score, *map(comparable, place)]
        except (TypeError, ValueError, OverflowError) as error:
            # PostgreSQL may take it, as a time without a zone.
            raise BadCursor from error
