"""What the invented shop sells: paper, pens and ink."""

from typing import Any, NamedTuple

from domain.money import minor_digits


class Product(NamedTuple):
    """A product; *price* is in hundredths, like 24.50 as 2450."""

    name: str
    price: int

    def price_in(self, currency: str) -> int:
        """Return the price in minor units of *currency*."""
        return amount_in(currency, self.price)


def amount_in(currency: str, hundredths: int) -> int:
    """
    Return an amount in minor units of *currency*.

    Where there are none, like yen, a unit is worth about a hundredth of another.
    """
    return hundredths * (10 if minor_digits(currency) == 3 else 1)


PRODUCTS = {
    "NB-A5-DOT": Product("Notebook A5, dotted, 160 pages", 1850),
    "NB-A6-RUL": Product("Pocket notebook A6, ruled, set of three", 1290),
    "NB-SKETCH": Product("Sketchbook “Nordlys”, 200 g/m², linen spine", 2675),
    "PAPER-COT": Product("Cotton writing paper, ivory, 100 sheets", 2140),
    "ENV-C6": Product("Envelopes C6, lined with tissue, 25 of them", 975),
    "CARD-FOLD": Product("Folded cards with deckle edge, 10 of them", 1180),
    "BLOT-PAD": Product("Desk blotter with 20 sheets of blotting paper", 3460),
    "FP-MOEWE-F": Product("Fountain pen “Möwe”, fine nib", 6900),
    "FP-MOEWE-B": Product("Fountain pen “Möwe”, broad nib", 6900),
    "FP-ATLAS": Product("Fountain pen “Atlas”, piston filler, 14 kt nib", 24500),
    "DIP-SET": Product("Dip pen with five nibs in a tin", 1995),
    "PENCIL-6": Product("Pencils, cedar, HB to 6B, set of six", 1120),
    "INK-NIGHT": Product("Ink “Minuit à Étretat”, blue-black, 50 ml", 1450),
    "INK-SEPIA": Product("Ink “Sépia de Sète”, brown, 50 ml", 1450),
    "INK-MOSS": Product("Ink “Mousse des Cévennes”, green, 50 ml", 1450),
    "WAX-RED": Product("Sealing wax, crimson, three sticks", 890),
    "SEAL": Product("Brass seal with one letter and a beech handle", 2980),
    "CASE-3": Product("Leather case for three pens, saddle brown", 5350),
}
ENGRAVING = Product("Engraving of a name, up to twenty letters", 1200)
"""It is on no list: a line that has it says so itself."""
FREIGHT = 650
"""What a parcel costs, in hundredths."""


def engraving_in(currency: str, quantity: int = 1) -> dict[str, Any]:
    """Return the line of an order that has it engraved, as a PlaceOrder has it."""
    return {
        "product": ENGRAVING.name,
        "quantity": quantity,
        "unit_price": ENGRAVING.price_in(currency),
    }
