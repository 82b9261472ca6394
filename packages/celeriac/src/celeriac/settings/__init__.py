"""All settings of all services: one object, read from the environment by whoever starts a process.

Nothing here is read at import. ``Settings()`` reads ``CELERIAC_<SECTION>_<NAME>`` from the environment and ``.env``.
"""

from celeriac.settings.model import Environment, Settings, load

__all__ = ["Environment", "Settings", "load"]
