"""The pages of customers: register one."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from webapp.forms import REGISTER, Typed
from webapp.submitting import Filled, send, show

routes = Blueprint("customers", __name__)


@routes.get("/customers/new")
def registration() -> ResponseReturnValue:
    return show(Filled(form=REGISTER, typed=Typed({})))


@routes.post("/customers/new")
def register() -> ResponseReturnValue:
    return send(REGISTER)
