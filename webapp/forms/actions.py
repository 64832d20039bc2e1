"""The actions on an order or an account: their forms and addresses."""

from collections.abc import Callable, Iterator
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from webapp.current_shop import the_notation
from webapp.forms.definitions import FORMS
from webapp.forms.form import Action
from webapp.forms.form_state import FormState
from webapp.forms.submit import send
from webapp.forms.values import values_for
from webapp.login.acting import may_send


def actions_of(page: str) -> Iterator[Action]:
    """Yield the actions whose forms are at addresses of the blueprint *page*."""
    for form in FORMS.values():
        if isinstance(form, Action) and form.page == page:
            yield form


def forms_offered(page: str, row: Any) -> list[FormState]:
    """Return the forms that *page* shows with *row* to who may send them."""
    return [
        form_for(action, row)
        for action in actions_of(page)
        if may_send(action.command_type) and action.is_offered(row)
    ]


def form_for(action: Action, row: Any) -> FormState:
    """Return the form of *action*, filled with likely values, or those asked for."""
    typed = values_for(action, action.suggest(row), the_notation())
    for name in action.fields:
        typed.fields[name] = request.args.get(name, typed.fields[name])
    return FormState(
        form=action,
        typed=typed,
        about={action.about: getattr(row, action.about)},
        version=str(row.version) if action.expects_version else "",
    )


def add_addresses(
    routes: Blueprint, below: str, ask: Callable[..., ResponseReturnValue]
) -> None:
    """
    Add addresses for the actions of *routes*, to show and send them, *below* the row's.

    *ask* takes the action and, by name, what it is about; it returns the page with the
    action's form.
    """
    for action in actions_of(routes.name):
        add_addresses_of(action, routes, below, ask)


def add_addresses_of(
    action: Action,
    routes: Blueprint,
    below: str,
    ask: Callable[..., ResponseReturnValue],
) -> None:
    name = action.endpoint.partition(".")[2]

    @routes.get(f"{below}/{name}", endpoint=f"{name}_form")
    def empty(**about: Any) -> ResponseReturnValue:
        return ask(action, **about)

    @routes.post(f"{below}/{name}", endpoint=name)
    def submit(**about: Any) -> ResponseReturnValue:
        return send(action)
