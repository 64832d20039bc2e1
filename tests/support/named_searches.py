"""
A hundred searches of which it is said what they find: of orders and of customers.

What answers searches is given to `check`: a query, or another store's. What is named
has to be among the first three. The numbers were taken from the files and from the
demo's own list, the newest first, and not from a search.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

FIRST = 3
"""How many rows people look at before they type something else."""

Searches = Sequence[tuple[str, Collection[Any]]]

NORTHWIND_ORDERS: Sequence[tuple[str, Sequence[int]]] = (
    # the number itself
    ("10248", (10248,)),
    ("#10643", (10643,)),
    (" 11077 ", (11077,)),
    # beginnings of words
    ("alfreds", (11011, 10952, 10835)),
    ("ALFKI", (11011, 10952, 10835)),
    ("futterk", (11011, 10952, 10835)),
    ("maria anders", (11011, 10952, 10835)),
    ("around the horn", (11016, 10953, 10920)),
    ("vins alcools", (10739, 10737, 10295)),
    ("quick stop", (11021, 10996, 10991)),
    ("save-a-lot", (11064, 11031, 11030)),
    ("B's Bev", (11023, 10947, 10943)),
    ("wolski zaj", (11044, 10998, 10906)),
    ("piestrz", (11044, 10998, 10906)),
    ("laughing bacchus", (10810, 10620, 10495)),
    # accents and letters that keyboards have not
    ("konig", (11028, 10893, 10849)),
    ("KÖNIGLICH", (11028, 10893, 10849)),
    ("bolido", (10970, 10801, 10326)),
    ("frederique", (10826, 10679, 10628)),
    ("tradicao", (10839, 10834, 10830)),
    ("gastronomo", (10928, 10887, 10568)),
    ("taqueria", (10856, 10682, 10677)),
    ("kaseladen", (11020, 10999, 10833)),
    ("folk och fa", (11050, 11001, 10993)),
    ("oceáno", (10986, 10958, 10898)),
    ("arhus", (10994, 10946, 10921)),
    ("munster", (10967, 10608, 10548)),
    ("montreal", (10724, 10619, 10618)),
    ("lulea", (10924, 10875, 10866)),
    ("genève", (11075, 11033, 10951)),
    ("nuss nougat", (11055, 10919, 10887)),
    ("nuß-nougat", (11055, 10919, 10887)),
    # products
    ("mishi kobe", (10848, 10693, 10687)),
    ("gumbar", (11024, 11021, 11004)),
    ("rod kaviar", (11077, 10881, 10751)),
    ("knackebrod", (11001, 10943, 10844)),
    ("lakkalik", (11075, 11050, 11004)),
    ("sauerkraut", (11068, 11039, 11008)),
    ("chowder", (11077, 11072, 11067)),
    ("chartreuse rattlesnake", (11077,)),
    # cities and countries
    ("reims", (10739, 10737, 10295)),
    ("walla walla", (10545, 10482)),
    ("rio de jan", (11059, 11052, 11022)),
    ("colchester", (11016, 10953, 10920)),
    ("poland", (11044, 10998, 10906)),
    ("ireland tofu", (10503,)),
    ("charleroi chai", (11035,)),
    # telephone numbers, however they are written
    ("030-0074321", (11011, 10952, 10835)),
    ("0300074321", (11011, 10952, 10835)),
    ("+49 30 0074321", (11011, 10952, 10835)),
    ("0074321", (11011, 10952, 10835)),
    ("(171) 555-7788", (11016, 10953, 10920)),
    ("1715557788", (11016, 10953, 10920)),
    ("171 5557788", (11016, 10953, 10920)),
    ("5557788", (11016, 10953, 10920)),
    ("0921 123465", (10924, 10875, 10866)),
    ("0921/12.34.65", (10924, 10875, 10866)),
    ("+46 921 12 34 65", (10924, 10875, 10866)),
    ("88601531", (10826, 10679, 10628)),
    ("0033 88 60 15 31", (10826, 10679, 10628)),
    ("071 236722 20", (11038, 11035, 10930)),
    # slips
    ("alfrdes", (11011, 10952, 10835)),
    ("futterkitse", (11011, 10952, 10835)),
    ("koniglch", (11028, 10893, 10849)),
    ("rattelsnake", (11077, 11000, 10988)),
    ("wellingtom", (10935, 10905, 10900)),
    ("suprmes delices", (11038, 11035, 10930)),
    ("strasburg", (10826, 10679, 10628)),
    ("barquismeto", (11071, 11065, 10997)),
    ("gudbrandsdalost", (11033, 11022, 10964)),
    ("camenbert", (11077, 11061, 11060)),
    ("mozarella", (11021, 10992, 10987)),
    # parts of words
    ("versand", (11012, 10929, 10859)),
    ("markets", (11066, 11064, 11048)),
    ("blut delikat", (11067, 11036, 10825)),
    ("markt lehmann", (11070, 10934, 10891)),
    ("hering", (11065, 11015, 10957)),
    ("knodel", (11077, 11072, 11053)),
    ("klosterbier", (11077, 10998, 10980)),
    ("furt grune", (11077, 11068, 11060)),
)
"""Orders by their old numbers, as the import keeps them."""

NORTHWIND_CUSTOMERS: Sequence[tuple[str, Sequence[str]]] = (
    ("wolza", ("WOLZA",)),
    ("lulea", ("BERGS",)),
    ("+46 921-12 34 65", ("BERGS",)),
    ("hanari", ("HANAR",)),
    ("liu wnog", ("THECR",)),
    ("schweiger", ("SPLIR",)),
)

DEMO_ORDERS: Sequence[tuple[str, Sequence[int]]] = (
    ("17", (17,)),
    ("kauzchen", (29, 17, 3)),
    ("minuit etretat uppsala", (13, 1)),
    ("reykjavik", (34, 24, 9)),
    ("swiecicka", (40, 32, 20)),
    ("01632 960411", (26, 16, 2)),
    ("+44 (0)1632 960 411", (26, 16, 2)),
    ("020 5550117", (36, 25, 12)),
    ("oberg", (38, 27, 13)),
    ("佐藤", (33, 18, 7)),
    ("atlas porto", (31,)),
    ("garonen", (35, 21, 8)),
    ("buchhandlugn", (29, 17, 3)),
    ("handlung weimar", (29, 17, 3)),
)
"""Orders of `recount demo --live`, by the numbers that they get in a new shop."""

COUNT = len(NORTHWIND_ORDERS) + len(NORTHWIND_CUSTOMERS) + len(DEMO_ORDERS)


def check(searches: Searches, find: Callable[[str], Sequence[Any]]) -> None:
    """
    Assert that *find* has the named rows among the first three, for all *searches*.

    *find* returns the keys of the rows that a text finds, the best first.
    """
    missed: Mapping[str, tuple[Any, Any]] = {
        text: (wanted, found)
        for text, wanted in searches
        if not set(wanted) <= set(found := find(text)[:FIRST])
    }
    assert not missed
