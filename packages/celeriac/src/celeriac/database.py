"""Results in PostgreSQL, SQLite or another database of SQLAlchemy's: ``CELERIAC_RESULT_BACKEND=db+postgresql://…``."""

from typing import Any

from celery.backends import database
from sqlalchemy.exc import DBAPIError

from celeriac.results import Outcome

_CeleryDatabaseBackend: Any = database.DatabaseBackend


class DatabaseBackend(Outcome, _CeleryDatabaseBackend):
    """Celery's, whose outage fails no run."""

    unreachable = (DBAPIError,)
