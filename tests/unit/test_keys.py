import pytest
from kombu.transport.redis import Channel

from celeriac import keys


def test_lists_are_the_ones_a_stock_producer_uses() -> None:
    assert tuple(Channel.priority_steps) == keys.PRIORITY_STEPS
    assert Channel.sep == keys.PRIORITY_SEPARATOR


@pytest.mark.parametrize(
    ("priority", "step"), [(0, 0), (2, 0), (3, 3), (5, 3), (6, 6), (8, 6), (9, 9), (10, 9), (-1, 0)]
)
def test_a_priority_goes_to_its_step(priority: int, step: int) -> None:
    assert keys.priority_step(priority) == step


def test_lists_stand_in_the_order_they_are_served() -> None:
    lists = keys.queue_lists("mail")
    assert lists[0] == "mail"
    assert [name.removeprefix("mail").lstrip("\x06\x16") for name in lists] == ["", "3", "6", "9"]
