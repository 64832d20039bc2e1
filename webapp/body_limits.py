"""How many bytes a request may have, by what it is for."""

from flask import Flask, request

MAX_BODY_BYTES = 64 * 1024
MAX_ORDER_FORM_BYTES = 256 * 1024
"""A form with the maximum of lines repeats each field's name for each line."""
MAX_LOGIN_BYTES = 512 * 1024
"""With it comes a form that was sent without a session, encrypted."""
MAX_BATCH_BYTES = 16 * 1024 * 1024
LONG_FORMS = {
    "orders.place": MAX_ORDER_FORM_BYTES,
    "orders.place_first": MAX_ORDER_FORM_BYTES,
    "orders.lines": MAX_ORDER_FORM_BYTES,
    "login.enter": MAX_LOGIN_BYTES,
}


def limit(app: Flask) -> None:
    """Give *app* the limits of a request's body."""
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        MAX_FORM_MEMORY_SIZE=MAX_BODY_BYTES,
        MAX_FORM_PARTS=1000,
    )
    app.before_request(let_long_forms_in)
    app.before_request(let_batches_in)


def let_long_forms_in() -> None:
    limit = LONG_FORMS.get(request.endpoint or "")
    if limit is not None:
        request.max_content_length = limit
        request.max_form_memory_size = limit


def let_batches_in() -> None:
    if request.endpoint == "api.post_batch":
        request.max_content_length = MAX_BATCH_BYTES
