"""Keeping secrets out of what is printed."""

import re
from typing import Final

MASK: Final = "**********"
_IN_URL: Final = re.compile(r"(?P<head>\b[a-z][a-z0-9+.-]*://[^\s/?#:@]*:)[^\s/@]+(?=@)", re.IGNORECASE)


def mask(text: str) -> str:
    """Return *text* with the password of every URL in it replaced by asterisks."""
    return _IN_URL.sub(rf"\g<head>{MASK}", text)
