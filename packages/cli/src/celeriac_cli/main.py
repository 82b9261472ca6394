"""The ``celeriac`` command. One file per command; this one only gathers them."""

import sys

import typer

from celeriac.errors import CeleriacError
from celeriac_cli import cancel, catalog, dead_letters, schedules, settings, submit, watch
from celeriac_cli.api import ApiError
from celeriac_cli.console import err
from celeriac_cli.dev import command as dev

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Celery on Kubernetes, run like a managed service.",
)
app.command()(dev.dev)
app.command()(submit.submit)
app.command()(watch.watch)
app.command()(cancel.cancel)
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(schedules.app, name="schedules")
app.command()(catalog.catalog)
app.command()(settings.settings)


def main() -> None:
    """Run the command; what went wrong is one message on stderr, and exit code 1."""
    try:
        app()
    except (CeleriacError, ApiError, TimeoutError) as error:
        err.print(f"celeriac: {error}", style="red", markup=False, soft_wrap=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
