"""``celeriac cancel``: cancel runs, by id or by filter."""

from typing import Annotated, Any

import typer

from celeriac_cli.api import Api, Url
from celeriac_cli.console import err, out


def cancel(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Runs to cancel; none, to cancel by filter.")
    ] = None,
    task: Annotated[str | None, typer.Option(help="Only runs of this task.", show_default=False)] = None,
    queue: Annotated[str | None, typer.Option(help="Only runs in this queue.", show_default=False)] = None,
    state: Annotated[
        list[str] | None, typer.Option(help="Only runs in this state; may be repeated.", show_default=False)
    ] = None,
    older_than: Annotated[
        float | None, typer.Option(help="Only runs submitted this many seconds ago.", min=0, show_default=False)
    ] = None,
    terminate: Annotated[bool, typer.Option(help="Kill the process of one that runs (prefork).")] = False,
    reason: Annotated[str, typer.Option(help="Shown with the runs.")] = "cancelled by celeriac cancel",
    api: Url = None,
) -> None:
    """Cancel runs. One that waits never starts; one that runs ends when its task stops, or is killed."""
    chosen = {"name": task, "queue": queue, "states": state, "older_than": older_than}
    chosen = {name: value for name, value in chosen.items() if value is not None}
    if bool(ids) == bool(chosen):
        raise typer.BadParameter("give ids, or at least one of --task, --queue, --state and --older-than")
    how: dict[str, Any] = {"terminate": terminate, "reason": reason}
    with Api(api) as client:
        for id in ids or ():
            done = client.send("POST", f"/v1/tasks/{id}/cancel", params=how)
            out.print(f"{id} {done['outcome']}", soft_wrap=True, markup=False)
        if chosen:
            counts = client.post("/v1/tasks/cancel", {**chosen, **how})
            out.print(f"{counts['cancelled']} cancelled, {counts['requested']} asked to stop")
            if counts["requested"]:
                err.print("those asked to stop end when their tasks do, or at once with --terminate on prefork")
