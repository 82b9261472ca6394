"""The command itself: lock, plan, start, sample job, stay, stop."""

import asyncio
import fcntl
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from celeriac.settings import Settings, load
from celeriac_cli.console import err, out
from celeriac_cli.dev import plan, sample
from celeriac_cli.dev.fault import DevError
from celeriac_cli.dev.lines import Lines
from celeriac_cli.dev.service import Service
from celeriac_cli.dev.supervisor import Supervisor


def dev(
    once: Annotated[bool, typer.Option("--once", help="Stop after the sample job's answer.")] = False,
    redis_url: Annotated[
        str | None,
        typer.Option(
            envvar="REDIS_URL", help="Use this Redis or Sentinel, not the embedded Valkey.", show_default=False
        ),
    ] = None,
    api_port: Annotated[int, typer.Option(envvar="API_PORT", help="Port of the API; 0 takes a free one.")] = 8000,
    flower_port: Annotated[int, typer.Option(envvar="FLOWER_PORT", help="Port of Flower, likewise.")] = 5555,
    folder: Annotated[
        Path, typer.Option(envvar="DEV_FOLDER", help="Where the embedded Valkey keeps its data.")
    ] = Path(".celeriac"),
) -> None:
    """Run the whole platform on this machine and send it a sample job."""
    try:
        with _alone(folder) as lock:
            asyncio.run(_Dev(folder, lock, once).run(redis_url, api_port, flower_port))
    except DevError as error:
        err.print(f"celeriac dev: {error}", style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1) from error


@contextmanager
def _alone(folder: Path) -> Iterator[int]:
    """Hold the folder's lock; two servers must not share its data."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "dev.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise DevError(
                f"Another celeriac dev (process {file.read().strip()}) uses {folder}: stop it, or let it end"
            ) from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield file.fileno()


class _Dev:
    """One run of the command."""

    def __init__(self, folder: Path, lock: int, once: bool) -> None:
        self._folder = folder
        self._once = once
        self._lines = Lines(out)
        self._supervisor = Supervisor(self._lines, self._say, lock)
        self._told_to_stop = asyncio.Event()

    async def run(self, redis_url: str | None, api_port: int, flower_port: int) -> None:
        """Do all of it; raise :class:`DevError` for what goes wrong."""
        if redis_url:
            os.environ["CELERIAC_REDIS_URL"] = redis_url
        settings = load()
        api_port = plan.require_free(api_port, "the API", "API_PORT")
        flower_port = plan.require_free(flower_port, "Flower", "FLOWER_PORT")
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._on_signal)
        async with self._supervisor:
            await self._until_stopped(self._work(settings, api_port, flower_port))
        bad = {name: code for name, code in self._supervisor.codes.items() if code != 0}
        if bad:
            raise DevError(
                "; ".join(f"{name} did not stop in order (exit code {code})" for name, code in bad.items())
            )

    def _on_signal(self) -> None:
        if self._told_to_stop.is_set():
            self._supervisor.hurry()
        else:
            self._say("stopping all in order; again to kill what still runs")
        self._told_to_stop.set()

    async def _until_stopped(self, work: Any) -> None:
        """Await *work* for as long as no process ends and nobody says stop."""
        working = asyncio.create_task(work)
        stop = asyncio.create_task(self._told_to_stop.wait())
        death = asyncio.create_task(self._supervisor.death())
        done, _ = await asyncio.wait({working, stop, death}, return_when=asyncio.FIRST_COMPLETED)
        if death in done:
            self._told_to_stop.set()  # ends the sample job's thread too
        for task in {working, stop, death} - done:
            task.cancel()
        await asyncio.gather(working, return_exceptions=True)
        if death in done:
            raise death.result()
        if working in done:
            working.result()

    async def _work(self, settings: Settings, api_port: int, flower_port: int) -> None:
        server = await self._server(settings)
        services = plan.services(settings, api_port, flower_port)
        self._say(f"starting {', '.join(service.name for service in services)}")
        for service in services:
            await self._supervisor.start(service)
        await self._supervisor.wait_ready(services)
        api = services[0].url
        ended = await asyncio.to_thread(sample.run, api, self._told_to_stop.is_set)
        sample.show(out, ended["result"])
        self._show_urls([*server, *services], api, ended["id"])
        if not self._once:
            self._say("all is up; Ctrl-C stops it\n")
            self._lines.open()
            await asyncio.Event().wait()

    async def _server(self, settings: Settings) -> list[Service]:
        if "CELERIAC_REDIS_URL" in os.environ:
            await asyncio.to_thread(plan.require_redis, settings)
            return []
        server = plan.valkey(self._folder / "valkey")
        os.environ["CELERIAC_REDIS_URL"] = server.url
        await self._supervisor.start(server)
        await self._supervisor.wait_ready([server])
        return [server]

    def _show_urls(self, services: Sequence[Service], api: str, id: str) -> None:
        rows = [
            ("API, try it out", f"{api}/docs"),
            ("this run", f"{api}/v1/tasks/{id}"),
            ("its chart", f"{api}/v1/tasks/{id}/artifacts/chart.png"),
        ]
        for service in services:
            if service.name.startswith(("worker", "scheduler")):
                rows.append((f"{service.name} metrics", f"{service.url}/metrics"))
            elif service.name != "api":
                rows.append((service.name, service.url))
        out.print()
        for what, where in rows:
            out.print(f"  [bold]{what:<24}[/bold] {where}", soft_wrap=True)  # a table would cut what is to be copied
        out.print("\nTry next:\n")
        body = '{"name": "cookbook.thumbnails", "kwargs": {"width": 120}}'
        out.print(f"  curl -s {api}/v1/tasks -H 'content-type: application/json' -d '{body}'\n", soft_wrap=True)

    def _say(self, text: str) -> None:
        err.print(f"celeriac dev: {text}", style="bold", markup=False, soft_wrap=True)
