"""`recount commands try`: what a file's commands would cause, without sending them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from cli import commands
from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, cancel, pay, place
from tests.support.unwritten import contents

PAY = {"type": "ReceivePayment", "data": {"order_id": 1, "amount": 899}}


def try_lines(*lines: Any) -> Result:
    texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    return CliRunner().invoke(commands, ["try", "-"], input="\n".join(texts))


def test_what_each_command_would_cause_is_told_and_nothing_is_sent(
    shop: Shop, do: Do
) -> None:
    do(alice, place, place, replace(pay, order_id=2))
    do(replace(cancel, order_id=2))
    with shop.lent() as connection:
        before = contents(connection)
    result = try_lines(
        PAY, {"type": "RefundPayment", "data": {"order_id": 2, "amount": 1}}
    )
    with shop.lent() as connection:
        assert contents(connection) == before

    assert result.exit_code == 0, result.output
    told = result.output.splitlines()
    assert told[:2] == ["order-1: succeeded", "  PaymentReceived, version 2"]
    assert told[2].startswith(
        "  order 1: paid 8.99, was 0.00; due 100.00, was 108.99; paid at "
    )
    assert told[3:] == [
        "order-2: succeeded",
        "  PaymentRefunded, version 4",
        "  order 2: refunded 0.01, was 0.00; credit 108.98, was 108.99",
        "  then DepositRefund",
    ]


def test_what_would_be_refused_is_told_with_its_reason(
    shop: Shop, do: Do, tmp_path: Path
) -> None:
    do(alice, place)
    file = tmp_path / "orders.ndjson"
    high = {"type": "ReceivePayment", "data": {"order_id": 1, "amount": 999_999}}
    lines = [json.dumps(high), "", '{"type": "Pay"}', "{"]
    file.write_text("\n".join(lines))
    result = CliRunner().invoke(commands, ["try", str(file)])

    assert result.exit_code == 1
    told = result.output.splitlines()
    assert told[0].startswith("order-1: rejected: Of the 108.99 EUR that this order")
    assert told[1].startswith("line 3: type: is unknown")
    assert told[2].startswith("line 4: ")
