"""The ``celeriac-scheduler`` command."""

import signal
import sys
import threading
from types import FrameType

from celeriac import logging
from celeriac.errors import ConfigurationError
from celeriac.settings import load
from celeriac_scheduler.scheduler import Scheduler


def main() -> int:
    """Run until SIGTERM or SIGINT. Returns 0 after an orderly stop, 2 when the configuration is unusable."""
    try:
        settings = load()
        logging.configure(settings.log, "scheduler")
        scheduler = Scheduler(settings)
    except ConfigurationError as error:
        print(f"celeriac-scheduler: {error}", file=sys.stderr)  # noqa: T201 the reader may have no log yet
        return 2
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    scheduler.run(stop)
    return 0


if __name__ == "__main__":
    sys.exit(main())
