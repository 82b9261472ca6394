"""``celeriac schedules``: rules that submit tasks at times."""

from typing import Final

import typer

from celeriac_cli.schedules import act, diff, look, write

app: Final = typer.Typer(
    no_args_is_help=True, help="Schedules: list, show, set, pause, resume, run, preview, history, delete, diff."
)
app.command("list")(look.list_)
app.command()(look.show)
app.command()(look.history)
app.command()(look.preview)
app.command("set")(write.set_)
app.command()(act.pause)
app.command()(act.resume)
app.command()(act.run)
app.command()(act.delete)
app.command()(diff.diff)
