"""What an account may refuse: every rule, with the sentence that people read."""

from domain.errors import Rejection, StateRejection


class UnknownAccount(Rejection):
    """There is no account {account_id}."""


class AccountAlreadyOpen(Rejection):
    """Account {account_id} is open already."""


class AccountIsClosed(Rejection):
    """Account {account_id} is closed."""


class AccountNotEmpty(StateRejection):
    """Account {account_id} is closed when it is empty; {balance} is in it."""


class NotEnoughMoney(Rejection):
    """Account {account_id} has {balance}, and {asked} is more than that."""


class BalanceTooHigh(Rejection):
    """An account has at most {highest}; {account_id} has {balance} already."""
