"""``celeriac schedules pause``, ``resume``, ``run`` and ``delete``."""

from typing import Annotated

import typer

from celeriac_cli.api import Api, Url
from celeriac_cli.console import err, out
from celeriac_cli.schedules.path import Id, Version, if_match, path
from celeriac_cli.schedules.words import standing
from celeriac_cli.watch import finish, follow


def pause(
    id: Id,
    reason: Annotated[str, typer.Argument(help="Why; others will read it.")],
    version: Version = None,
    api: Url = None,
) -> None:
    """Stop a schedule's fires until it is resumed. A pause outlives deployments."""
    with Api(api) as client:
        client.send("POST", path(id, "pause"), json={"reason": reason}, headers=if_match(version))
    err.print(f"{id} is paused", markup=False)


def resume(
    id: Id,
    leave_out: Annotated[
        bool,
        typer.Option("--leave-out-missed", help="Do not make up for what the pause missed, whatever its policy."),
    ] = False,
    version: Version = None,
    api: Url = None,
) -> None:
    """Let a paused schedule go on; its catch-up policy decides about what the pause missed."""
    body = {"catch_up": "none"} if leave_out else {}
    with Api(api) as client:
        schedule = client.send("POST", path(id, "resume"), json=body, headers=if_match(version))
    err.print(f"{id} goes on; next fire: {standing(schedule)}", markup=False)


def run(
    id: Id,
    anyway: Annotated[bool, typer.Option(help="Even if its last run is not final yet.")] = False,
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Follow it to its end and print its result.")] = False,
    api: Url = None,
) -> None:
    """Run a schedule now, beside its own fires, and print the run's id, or with --wait its result."""
    with Api(api) as client:
        submitted = client.send("POST", path(id, "run"), params={"anyway": anyway})["run"]
        if wait:
            finish(follow(client, submitted))
            return
    out.print(submitted, markup=False)


def delete(
    id: Id,
    anyway: Annotated[
        bool, typer.Option(help="Even one declared in code, such as a removed worker group has left behind.")
    ] = False,
    version: Version = None,
    api: Url = None,
) -> None:
    """Remove a schedule and its history. Runs it has submitted go on."""
    with Api(api) as client:
        client.send("DELETE", path(id), params={"anyway": anyway}, headers=if_match(version))
    err.print(f"{id} is removed", markup=False)
