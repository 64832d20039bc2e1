"""The rules of choosing a port."""

import socket

import pytest

from embedded.errors import PortTaken
from embedded.port import claim_port, has_answered
from tasks.shop.bad_setting import BadSetting


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def test_two_that_start_at_once_do_not_choose_the_same_port() -> None:
    first, second = claim_port({}), claim_port({})

    assert first.number != second.number
    first.release()
    second.release()


def test_a_port_that_was_asked_for_is_not_exchanged_for_another() -> None:
    asked = {"PORT": free_port()}
    first = claim_port(asked)

    with pytest.raises(PortTaken):
        claim_port(asked)
    first.release()


def test_a_port_is_a_number() -> None:
    with pytest.raises(BadSetting, match="PORT"):
        claim_port({"PORT": "http"})


def test_an_answer_of_somebody_else_does_not_count() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number = listener.getsockname()[1]

        assert not has_answered(number, leader=1)
