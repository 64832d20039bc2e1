"""The two types of documents: which read model has them, and what can be asked."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from eventstore.projections.projection import Projection
from eventstore.projections.views import View
from readmodels import customers, order_details
from readmodels.stores.documents.fields import Field, fields_of, sortable_fields


@dataclass(frozen=True, slots=True)
class DocumentType:
    """
    Documents of one type: the rows of a read model, without what only queries look at.

    *row* is the class of a document. *usual_sort* is the order of one who names none.
    *indexed* has the columns of arrays that PostgreSQL has an index of.
    """

    name: str
    projection: Projection
    row: type
    usual_sort: str
    indexed: Collection[str] = ()
    fields: Mapping[str, Field] = field(init=False, repr=False)
    view: View[object] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        sorts = {name: name for name in sortable_fields(self.row)}
        # In every store alike: a page may be followed by one of another store.
        view = View.of(self.projection, sorts, self.row, collation="C")
        object.__setattr__(self, "fields", fields_of(self.row))
        object.__setattr__(self, "view", view)


ORDERS = DocumentType(
    "orders",
    order_details.projection,
    order_details.OrderDetailsView,
    "-order_id",
    indexed=["lines"],
)
CUSTOMERS = DocumentType(
    "customers", customers.projection, customers.CustomerView, "customer_id"
)
