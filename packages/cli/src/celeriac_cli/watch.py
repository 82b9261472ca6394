"""``celeriac watch``: follow a run to its end."""

import time
from collections.abc import Callable
from typing import Annotated, Any, Final

import typer
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from celeriac.states import FINAL, State
from celeriac_cli.api import Api, Url
from celeriac_cli.console import err, show_json

POLL_SECONDS: Final = 0.25
"""How often progress is read while a run goes on."""


def watch(
    id: Annotated[str, typer.Argument(help="Id of the run.")],
    timeout: Annotated[float | None, typer.Option(help="Seconds to wait at the most.", show_default=False)] = None,
    api: Url = None,
) -> None:
    """Follow a run to its end and print its result. Exits 1 unless it succeeded."""
    with Api(api) as client:
        finish(follow(client, id, timeout))


def follow(
    api: Api, id: str, timeout: float | None = None, stopped: Callable[[], bool] = lambda: False
) -> dict[str, Any]:
    """Show a progress bar until the run *id* has ended, or *stopped* says so; return it as it is then.

    Raises:
        TimeoutError: it has not ended in *timeout* seconds.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[message]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err) as progress:
        bar = progress.add_task(id, total=None, message="")
        while True:
            run = api.follow(id, deadline, POLL_SECONDS)
            _show(progress, bar, run)
            if run["state"] in FINAL or stopped():
                return run
            if deadline is not None and time.monotonic() > deadline:
                raise TimeoutError(f"run {id} is still {run['state']} after {timeout:g} s")


def _show(progress: Progress, bar: TaskID, run: dict[str, Any]) -> None:
    said = run.get("progress") or {}
    said = said if isinstance(said, dict) else {"message": str(said)}
    total, current = said.get("total"), said.get("current")
    if run["state"] == State.SUCCEEDED:
        total = current = total or 1
    progress.update(
        bar,
        description=f"{run['name']} [bold]{run['state']}[/bold]",
        total=total,
        completed=current if isinstance(current, int | float) else 0,
        message=str(said.get("message", ""))[:60],
    )


def finish(run: dict[str, Any]) -> None:
    """Print the result of an ended run, or why there is none; exit 1 then."""
    if run["state"] == State.SUCCEEDED:
        show_json(run.get("result"))
        return
    error = run.get("error") or {}
    reason = f"{error['type']}: {error['message']}" if error else run.get("reason") or "no reason is recorded"
    err.print(f"[red]{run['name']} {run['state']}[/red]: {reason}", soft_wrap=True)
    raise typer.Exit(1)
