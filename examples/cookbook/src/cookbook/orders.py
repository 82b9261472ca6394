"""Reading the sample orders."""

import csv
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from importlib.resources import files
from typing import NamedTuple


class Order(NamedTuple):
    """One row of the orders file."""

    day: date
    country: str
    amount: Decimal


def count() -> int:
    """Return the number of orders."""
    with (files("cookbook.data") / "orders.csv").open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(65_536), b"")) - 1


def read() -> Iterator[Order]:
    """Yield all orders, the oldest first."""
    with (files("cookbook.data") / "orders.csv").open("r", encoding="ascii") as file:
        for row in csv.DictReader(file):
            yield Order(
                day=date.fromisoformat(row["date"]),
                country=row["country"],
                amount=Decimal(row["unit_price"]) * int(row["quantity"]),
            )
