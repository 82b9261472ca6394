"""``celeriac-flower``: Flower on the Redis that Celeriac's settings name.

Flower's own options are its own: ``FLOWER_PORT``, ``FLOWER_BASIC_AUTH``, ``FLOWER_URL_PREFIX`` and so on.
"""

import os
import sys
from collections.abc import Mapping, Sequence

from celeriac.app import create_app
from celeriac.errors import ConfigurationError
from celeriac.settings import Environment, Settings, load

_LOGINS = ("basic_auth", "auth", "auth_provider")


def require_login(settings: Settings, environ: Mapping[str, str], options: Sequence[str]) -> None:
    """Refuse to show arguments and to stop workers for whoever reaches the port.

    Raises:
        ConfigurationError: no login of Flower's is set, outside development.
    """
    if settings.environment is Environment.DEVELOPMENT:
        return
    named = {option.lstrip("-").partition("=")[0].replace("-", "_") for option in options}
    if not any(environ.get(f"FLOWER_{login.upper()}") or login in named for login in _LOGINS):
        raise ConfigurationError("Flower has no login: set FLOWER_BASIC_AUTH=<user>:<password>, or FLOWER_AUTH")


def main() -> None:
    """Serve until told to stop. Reads Celery's events, so it needs no task code."""
    options = sys.argv[1:]
    try:
        settings = load()
        require_login(settings, os.environ, options)
    except ConfigurationError as error:
        sys.exit(f"celeriac-flower: {error}")
    create_app(settings, "observer").start(["flower", *options])


if __name__ == "__main__":
    main()
