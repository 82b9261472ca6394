"""Three ways to try again. In each, retries that are used up end in a failure: a success value would hide it."""

from typing import Any

from celery import Task, shared_task


class TemporaryError(Exception):
    """The other side may answer next time."""


class RateLimitedError(TemporaryError):
    """The other side said when to come back."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class InvalidOrderError(Exception):
    """No attempt will make this right."""


@shared_task(
    bind=True,
    autoretry_for=(TemporaryError, ConnectionError),
    dont_autoretry_for=(InvalidOrderError,),
    max_retries=3,
    retry_backoff=True,
    retry_backoff_max=600,
    retry_jitter=True,
)
def automatic(self: Task[..., Any], failures: int) -> int:
    """Fail *failures* times, then return how many attempts it took.

    The body only raises. A ``self.retry`` beside ``autoretry_for`` fights it: when retries are used up it raises the
    original error, which ``autoretry_for`` would catch again.
    """
    if self.request.retries < failures:
        raise TemporaryError(f"attempt {self.request.retries + 1} failed")
    return int(self.request.retries) + 1


@shared_task(bind=True, max_retries=3)
def manual(self: Task[..., Any], failures: int) -> int:
    """Retry by hand, with a delay of its own: 1, 2, 4 s and so on, ten minutes at the most."""
    try:
        _call("temporary" if self.request.retries < failures else None)
    except TemporaryError as error:
        # Once max_retries is reached, retry() raises `error` itself and the run fails with it.
        raise self.retry(exc=error, countdown=min(2**self.request.retries, 600)) from error
    return int(self.request.retries) + 1


@shared_task(bind=True, max_retries=3)
def by_class(self: Task[..., Any], fault: str | None = None) -> int:
    """Treat each class of error in its own way."""
    try:
        if self.request.retries == 0:
            _call(fault)
    except InvalidOrderError:
        raise
    except RateLimitedError as error:
        raise self.retry(exc=error, countdown=error.seconds) from error
    except TemporaryError as error:
        raise self.retry(exc=error, countdown=2**self.request.retries) from error
    return int(self.request.retries) + 1


def _call(fault: str | None) -> None:
    match fault:
        case "invalid":
            raise InvalidOrderError("the order has no customer")
        case "limited":
            raise RateLimitedError(0.5)
        case "temporary":
            raise TemporaryError("no answer")
