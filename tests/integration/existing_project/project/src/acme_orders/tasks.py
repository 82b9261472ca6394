"""Background work of the shop."""

from datetime import date

from celery import Task, chain, shared_task
from celery.utils.log import get_task_logger
from pydantic import BaseModel

from acme_orders.errors import OutOfStockError

logger = get_task_logger(__name__)

STOCK = {"mug": 3, "lamp": 0}


@shared_task
def total(prices: list[float], discount: float = 0.0) -> float:
    """Add up an order."""
    return round(sum(prices) * (1 - discount), 2)


@shared_task(name="acme.greeting")
def greeting(name: str, *, formal: bool = False) -> str:
    """Greet a customer."""
    return f"Dear {name}" if formal else f"Hi {name}"


@shared_task
def weekday(day: date) -> str:
    """Tell on which day of the week an order came in."""
    return day.strftime("%A")


@shared_task
def reserve(article: str, count: int = 1) -> int:
    """Take articles from stock."""
    if STOCK[article] < count:
        raise OutOfStockError(f"{STOCK[article]} of {article} left, {count} wanted")
    return STOCK[article] - count


@shared_task(bind=True, max_retries=3, default_retry_delay=0)
def flaky(self: Task, succeed_at: int) -> int:
    """Succeed at the given attempt."""
    if self.request.retries < succeed_at:
        raise self.retry(exc=ConnectionError("the warehouse did not answer"))
    return self.request.retries


@shared_task(bind=True)
def whoami(self: Task) -> dict[str, str | None]:
    """Say who runs this."""
    logger.info("somebody asks")
    return {"id": self.request.id, "task": self.name, "queue": self.request.delivery_info["routing_key"]}


@shared_task(queue="io")
def notify(address: str) -> str:
    """Send a message, on the queue for such things."""
    return f"sent to {address}"


@shared_task(ignore_result=True)
def touch() -> str:
    """Do something whose result nobody wants."""
    return "unwanted"


class Order(BaseModel):
    article: str
    count: int = 1


@shared_task(pydantic=True)
def double(order: Order) -> Order:
    """Order twice as many."""
    return Order(article=order.article, count=2 * order.count)


@shared_task(autoretry_for=(OSError,), default_retry_delay=0, retry_backoff=False, max_retries=1)
def doomed() -> None:
    """Fail, again and again."""
    raise OSError("no warehouse")


@shared_task
def checkout(prices: list[float]) -> str:
    """Start further tasks."""
    return chain(total.s(prices), total_text.s()).apply_async().id


@shared_task
def total_text(amount: float) -> str:
    """Write an amount out."""
    return f"EUR {amount:.2f}"
