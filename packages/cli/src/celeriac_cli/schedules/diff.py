"""``celeriac schedules diff``: what publishing this code would change."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from celeriac import packages
from celeriac.app import create_app
from celeriac.schedule.change import anchored
from celeriac.schedule.code import check_queues, declared
from celeriac.schedule.definition import Definition
from celeriac.settings import load
from celeriac_cli.api import Api, Url
from celeriac_cli.console import err, out
from celeriac_cli.schedules.look import every
from celeriac_cli.schedules.words import flat, times


def diff(
    tasks: Annotated[
        list[str] | None,
        typer.Argument(help="Task packages; by default those of CELERIAC_TASK_PACKAGES and entry points."),
    ] = None,
    api: Url = None,
) -> None:
    """Compare the schedules of the code here with those in store. Exits 1 when they differ.

    `+` is only in the code, `-` only in store, `~` differs, `!` is in the code but another one was made over HTTP.
    """
    settings = load()
    task = settings.task.model_copy(update={"packages": tasks, "entry_points": False}) if tasks else settings.task
    app = create_app(settings, "worker")
    packages.load(app, task)
    schedules = declared(app)
    check_queues(schedules, task.queues)
    with Api(api) as client:
        stored = {schedule["id"]: schedule for schedule in every(client)}
    lines = list(differences({item.id: item.definition for item in schedules}, stored, settings.scheduler.timezone))
    for line in lines:
        out.print(line, markup=False, soft_wrap=True)
    if lines:
        raise typer.Exit(1)
    err.print(f"{len(schedules)} schedules of the code are in store, and no others from code")


def differences(
    code: Mapping[str, Definition], stored: Mapping[str, Mapping[str, Any]], timezone: str
) -> Iterator[str]:
    """Yield a line for each difference between *code* and what is *stored*, as the API shows it."""
    for id in sorted(code.keys() | stored.keys()):
        there = stored.get(id)
        if id not in code:
            if there and there["source"] == "code":
                yield f"- {id}  {there['definition']['task']}  {times(there['definition']['when'])}"
        elif there is None:
            yield f"+ {id}  {code[id].task}  {times(code[id].model_dump(mode='json')['when'])}"
        elif there["source"] != "code":
            yield f"! {id}  was made over HTTP: delete that one, or rename this"
        else:
            yield from _changes(id, code[id], there["definition"], timezone)


def _changes(id: str, code: Definition, shown: Mapping[str, Any], timezone: str) -> Iterator[str]:
    before = Definition.model_validate(shown)
    old = flat(before.model_dump(mode="json"))
    new = flat(anchored(code, before).settled(0, timezone).model_dump(mode="json"))
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            yield f"~ {id}  {name}: {old.get(name)} -> {new.get(name)}"
