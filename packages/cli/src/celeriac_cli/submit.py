"""``celeriac submit``: run a task."""

from typing import Annotated, Any

import typer

from celeriac_cli.api import Api, Url
from celeriac_cli.arguments import named
from celeriac_cli.console import err, out
from celeriac_cli.watch import finish, follow


def submit(
    task: Annotated[str, typer.Argument(help="Name of the task, as `celeriac catalog` lists it.")],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME=VALUE]...", help="Arguments; a value that is JSON is read as such."),
    ] = None,
    queue: Annotated[str | None, typer.Option(help="Queue, if not the task's own.", show_default=False)] = None,
    priority: Annotated[
        int | None, typer.Option(help="0 to 9; 0 goes first.", min=0, max=9, show_default=False)
    ] = None,
    countdown: Annotated[
        float | None, typer.Option(help="Seconds from now at which it may start.", min=0, show_default=False)
    ] = None,
    eta: Annotated[str | None, typer.Option(help="Time at which it may start, ISO 8601.", show_default=False)] = None,
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Follow it to its end and print its result.")] = False,
    api: Url = None,
) -> None:
    """Submit a run of a task and print its id, or with --wait its result."""
    body: dict[str, Any] = {"name": task, "kwargs": named(arguments or [])}
    options = {"queue": queue, "priority": priority, "countdown": countdown, "eta": eta}
    body |= {name: value for name, value in options.items() if value is not None}
    with Api(api) as client:
        run = client.post("/v1/tasks", body)
        if wait:
            finish(follow(client, run["id"]))
            return
    out.print(run["id"])
    err.print(f"{run['state']}; follow it with: celeriac watch {run['id']}")
