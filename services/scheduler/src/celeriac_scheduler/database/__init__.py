"""Schedules of a database: sqlalchemy-celery-beat, behind the same leader.

For those who have their schedules in its tables already. The library decides when a row is due, by this machine's
clock and Celery's rules; it has no lock and sends before it saves. Here only the leader asks it, each run is
submitted by a fenced script under an id that follows from the row and its ``last_run_at``, and the row is saved right
after. So a crash between the two submits the same run again, which changes nothing, and a failed submission is tried
again.
"""

from typing import TYPE_CHECKING

from celeriac import packages
from celeriac.app import create_app
from celeriac.errors import ConfigurationError
from celeriac.leader import Leader
from celeriac.settings import Settings
from celeriac_scheduler.metrics import Metrics

if TYPE_CHECKING:
    from celeriac_scheduler.database.rows import Rows

_LONGEST_WAIT = 1.0
"""Seconds after which rows that were added or changed are seen."""


class Database:
    """The duty of firing the rows of a database.

    Raises:
        ConfigurationError: the library is not installed, there is no URL, or a task package does not load.
    """

    name = "database-schedules"

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        try:
            from celeriac_scheduler.database import rows
        except ImportError as error:
            raise ConfigurationError(
                "CELERIAC_SCHEDULER_BACKEND=database needs its library: install celeriac-scheduler[database]"
            ) from error
        self._open = rows.Rows
        url = settings.scheduler.database_url
        if url is None:
            raise ConfigurationError("CELERIAC_SCHEDULER_BACKEND=database needs CELERIAC_SCHEDULER_DATABASE_URL")
        self._settings = settings
        self._metrics = metrics
        self._app = create_app(settings, "sender")
        self._app.conf.update(beat_dburi=url.get_secret_value(), result_expires=None)
        if settings.task.packages:
            packages.load(self._app, settings.task)
        self._rows: Rows | None = None

    def turn(self, leader: Leader) -> float:
        """Fire one row that is due. After any error the rows are read again: what was not saved did not happen."""
        try:
            if self._rows is None:
                self._rows = self._open(self._app, self._settings, leader, self._metrics)
            return min(max(float(self._rows.tick()), 0.0), _LONGEST_WAIT)
        except Exception:
            self._forget()
            raise

    def stand_by(self) -> None:
        self._forget()

    def _forget(self) -> None:
        rows, self._rows = self._rows, None
        if rows is not None:
            rows.engine.dispose()
