"""The connection by which a worker takes runs: what it is told must hold after its own writes."""

import redis

from celeriac import keys, submit
from celeriac.settings.task import DeliverySettings
from celeriac.submit import Submission
from celeriac.wire import ScriptCall, Wire


def test_what_a_script_that_redis_forgot_writes_is_seen_by_what_follows(client: redis.Redis) -> None:
    """Else a worker that gives a run back after a failover would not know of it: Redis pushes nobody's own writes."""
    wire = Wire(client)
    run = Submission(task="shop.report", queue="default", priority=3)
    client.script_flush()
    call = ScriptCall("submit", *submit.call(run, DeliverySettings()))
    answers = wire.send([call, ("EXISTS", keys.queue_list("default", 3))])
    wire.close()
    assert answers == [[1, b"queued"], 1]
