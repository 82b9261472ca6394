"""The same tasks on this platform."""

from celeriac.app import create_app
from celeriac.settings import load

app = create_app(load(), "worker")
app.conf.include = [*app.conf.include, "trap_tasks"]
