"""``celeriac-worker``: the command line. What it says is put into the environment, where all settings are read."""

import argparse
import os
import sys
from collections.abc import Sequence

from celeriac.errors import CeleriacError, ConfigurationError
from celeriac.settings import load

_OPTIONS = {
    "group": "worker group; also the queue, unless --queues names others",
    "queues": "comma-separated queues to consume",
    "pool": "prefork, threads, solo, gevent or asyncio",
    "concurrency": "runs at a time",
    "host": "address of the health and metrics server",
    "port": "its port; 0 takes a free one",
    "drain-seconds": "seconds running work may go on after SIGTERM",
}


def main(argv: Sequence[str] | None = None) -> None:
    """Run a worker, or publish its catalogue. Exits 2 when something is set wrong, with one line that says what."""
    arguments = _parser().parse_args(argv)
    for name in _OPTIONS:
        value = getattr(arguments, name.replace("-", "_"))
        if value is not None:
            os.environ[f"CELERIAC_WORKER_{name.replace('-', '_').upper()}"] = value
    try:
        loaded = load()
        if loaded.worker.pool == "gevent":
            _patch_for_gevent()
        # Imported only now: gevent has to come before all that it changes.
        from celeriac_worker import program

        if arguments.command == "publish-catalog":
            program.publish_catalog(loaded)
            return
        code = program.run(loaded, arguments.name)
        if code == program.BEGIN_ANEW:
            os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606  # this very command
    except CeleriacError as error:
        sys.stderr.write(f"celeriac-worker: {error}\n")
        code = 2
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # a thread of a pool that could not be interrupted would be joined for ever


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="celeriac-worker",
        description="Run Celery tasks under Celeriac. Every option is also a setting, CELERIAC_WORKER_<OPTION>.",
    )
    parser.add_argument(
        "command",
        nargs="?",
        default="run",
        choices=["run", "publish-catalog"],
        help="publish-catalog tells Redis which tasks this worker offers, and ends",
    )
    parser.add_argument("--name", help="name of this worker; <group>@<host> otherwise")
    for name, description in _OPTIONS.items():
        parser.add_argument(f"--{name}", help=description)
    return parser


def _patch_for_gevent() -> None:
    try:
        from gevent import monkey
    except ImportError:
        raise ConfigurationError(
            "CELERIAC_WORKER_POOL=gevent needs gevent: install celeriac-worker[gevent]"
        ) from None
    monkey.patch_all()


if __name__ == "__main__":
    main()
