"""The sample job's round trip over HTTP, and showing what came back."""

import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from rich.columns import Columns
from rich.console import Console
from rich.table import Table

from celeriac.states import State
from celeriac_cli.api import Api, ApiError
from celeriac_cli.dev.fault import DevError
from celeriac_cli.watch import follow

TASK: Final = "cookbook.report"
CATALOG_SECONDS: Final = 20.0
DEADLINE_SECONDS: Final = 120.0
POLL_SECONDS: Final = 0.2


def run(url: str, stopped: Callable[[], bool]) -> dict[str, Any]:
    """Submit the report, show a bar while it runs, and return the run with its result.

    Raises:
        DevError: the platform did not do it.
    """
    with Api(url) as api:
        _wait_offered(api, stopped)
        try:
            submitted = api.post("/v1/tasks", {"name": TASK, "kwargs": {"year": 2025}})
            ended = follow(api, submitted["id"], DEADLINE_SECONDS, stopped)
        except (ApiError, TimeoutError) as error:
            raise DevError(f"The sample job {TASK} did not come back: {error}") from error
    if ended["state"] != State.SUCCEEDED and not stopped():
        failure = ended.get("error")
        reason = f"{failure['type']}: {failure['message']}" if failure else ended.get("reason")
        raise DevError(f"The sample job {TASK} {ended['state']}: {reason}")
    return ended


def _wait_offered(api: Api, stopped: Callable[[], bool]) -> None:
    deadline = time.monotonic() + CATALOG_SECONDS
    while not stopped():
        try:
            api.get(f"/v1/catalog/{TASK}")
        except ApiError as error:
            if time.monotonic() > deadline:
                raise DevError(
                    f"No worker offers the sample job {TASK} ({error}): is the cookbook installed and "
                    "CELERIAC_TASK_ENTRY_POINTS not switched off?"
                ) from error
            time.sleep(POLL_SECONDS)
        else:
            return


def show(console: Console, report: Mapping[str, Any]) -> None:
    """Print the sales report."""
    console.print(
        f"\n[bold]Sales {report['year']}[/bold]: {report['orders']:,} orders, "
        f"{report['currency']} {Decimal(report['total']):,.2f}\n"
    )
    console.print(
        Columns([_table("month", report["by_month"]), _table("country", report["by_country"])], padding=(0, 6))
    )


def _table(what: str, sums: Mapping[str, str]) -> Table:
    table = Table(what, "sales", "", box=None, header_style="bold")
    table.columns[1].justify = "right"
    most = max((Decimal(amount) for amount in sums.values()), default=Decimal(1)) or Decimal(1)
    for name, amount in sums.items():
        table.add_row(name, f"{Decimal(amount):,.2f}", f"[cyan]{'█' * round(12 * Decimal(amount) / most)}[/cyan]")
    return table
