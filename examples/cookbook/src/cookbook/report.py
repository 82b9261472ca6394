"""The sample job: a sales report of some 50,000 orders, with a chart."""

from collections import defaultdict
from decimal import Decimal
from typing import Annotated, Any

from celery import Task, shared_task
from pydantic import Field

from cookbook import chart, orders, progress

PROGRESS_EVERY = 2_500


@shared_task(bind=True, name="cookbook.report")
def report(
    self: "Task[..., Any]",
    year: Annotated[int, Field(ge=2000, le=2100, description="Year of the orders")] = 2025,
    countries: Annotated[list[str] | None, Field(description="Two-letter codes; all by default")] = None,
) -> dict[str, Any]:
    """Sum up a year's orders by month and country, and draw them.

    The chart is handed over as the artifact ``chart.png``.
    """
    total = orders.count()
    sales: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 12)
    counted = 0
    for number, order in enumerate(orders.read(), start=1):
        if order.day.year == year and (countries is None or order.country in countries):
            sales[order.country][order.day.month - 1] += order.amount
            counted += 1
        if number % PROGRESS_EVERY == 0:
            progress.report(self, number, total, f"{number:,} of {total:,} orders read")
    by_size = dict(sorted(sales.items(), key=lambda item: -sum(item[1])))
    months = [f"{year}-{month:02d}" for month in range(1, 13)]
    png = chart.stacked_bars(f"Sales {year}, EUR", [month[5:] for month in months], by_size)
    return {
        "year": year,
        "currency": "EUR",
        "orders": counted,
        "total": str(sum((sum(values) for values in by_size.values()), Decimal(0))),
        "by_country": {country: str(sum(values)) for country, values in by_size.items()},
        "by_month": {
            month: str(sum((values[i] for values in by_size.values()), Decimal(0))) for i, month in enumerate(months)
        },
        "artifacts": {"chart.png": {"content_type": "image/png", "data": png}},
    }
