"""Errors of the shop."""


class OutOfStockError(Exception):
    """There is not enough of an article."""
