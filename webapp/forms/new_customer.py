"""An order's form for a customer who is registered with it, and back again."""

from dataclasses import replace

from webapp.forms.choices import find_customer
from webapp.forms.definitions import FORMS
from webapp.forms.form_state import FormState
from webapp.forms.values import FormValues


def for_new_customer(filled: FormState) -> FormState:
    """
    Return the form of an order as one for a customer who is not registered yet.

    What was typed as the customer is the new name, unless it is somebody's number.
    """
    typed = filled.typed.fields
    asked = typed["customer_id"]
    known, _ = find_customer(asked)
    if known is not None and known.customer_id == asked:
        asked = ""
    return as_form(filled, "PlaceFirstOrder", "name", asked or typed.get("name", ""))


def for_known_customer(filled: FormState) -> FormState:
    """Return the form of a new customer's order as one for a customer of that name."""
    typed = filled.typed.fields
    asked = typed["name"] or typed.get("customer_id", "")
    return as_form(filled, "PlaceOrder", "customer_id", asked)


def as_form(filled: FormState, command: str, name: str, value: str) -> FormState:
    """Return *filled* as the form of a *command*, with *value* in the field *name*."""
    form, typed = FORMS[command], filled.typed
    fields = {one: typed.fields.get(one, "") for one in (*form.fields, *form.keeps)}
    values = FormValues({**fields, name: value}, typed.lines)
    return replace(filled, form=form, typed=values, focus=name)
