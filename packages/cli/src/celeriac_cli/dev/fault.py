"""What stops ``celeriac dev``."""


class DevError(Exception):
    """Something is in the way. The message is one line that names it and says what to do."""
