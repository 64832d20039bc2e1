"""The work on a request in a thread: call the application, or hand over to the loop."""

from functools import partial
from typing import Any

from waitress.task import WSGITask

from webapp.serving.hand_over import HAND_OVER, HandedOver, HandOver


class RequestTask(WSGITask):
    """The work on a request in a thread."""

    hand_over: HandOver

    def get_environment(self) -> dict[str, Any]:
        environment: dict[str, Any] = super().get_environment()
        self.hand_over = HandOver(self.request.has_waited)
        environment[HAND_OVER] = self.hand_over
        return environment

    def build_response_header(self) -> bytes:
        if self.channel.server.is_ending:
            self.set_close_on_finish()
        return bytes(super().build_response_header())

    def write(self, data: bytes) -> None:
        if self.hand_over.attach_waiting is None:
            super().write(data)

    def finish(self) -> None:
        """End the answer. Raises HandedOver if its body stays open."""
        if self.hand_over.attach_waiting is not None:
            attach = self.hand_over.attach_waiting
            raise HandedOver(partial(self.channel.begin_to_wait, attach))
        if self.hand_over.attach_answer is not None and self.may_go_on:
            if not self.wrote_header:
                self.write(b"")
            answer = self.hand_over.attach_answer
            is_chunked = self.chunked_response
            raise HandedOver(partial(self.channel.go_on, answer, is_chunked))
        super().finish()

    @property
    def may_go_on(self) -> bool:
        """Whether this is the head of an answer whose body may stay open."""
        return self.status.startswith("200 ") and self.content_length is None
