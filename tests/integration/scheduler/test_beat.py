"""``celery beat -S celeriac``: Celery's own program, run as its users run it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from celeriac import keys
from celeriac.testing import Server, until

APP = """
from celery import Celery

app = Celery("shop", broker="memory://")
app.conf.beat_schedule = {"tick": {"task": "shop.tick", "schedule": 1.0}}
"""


class Beat:
    def __init__(self, url: str, folder: Path, name: str) -> None:
        (folder / "shop.py").write_text(APP)
        self.log = folder / f"{name}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "shop", "beat", "-S", "celeriac", "--pidfile="],
                env={**os.environ, "CELERIAC_REDIS_URL": url, "CELERIAC_SCHEDULER_LEASE_SECONDS": "2"},
                cwd=folder,
                stdout=log,
                stderr=log,
            )


@pytest.fixture
def beats(shared_server: Server, client: redis.Redis, tmp_path: Path) -> Iterator[list[Beat]]:
    beats = [Beat(shared_server.url, tmp_path, name) for name in ("first", "second")]
    yield beats
    for beat in beats:
        beat.process.kill()
        beat.process.wait(10)


def test_two_beats_fire_each_occurrence_once_and_one_takes_over(client: redis.Redis, beats: list[Beat]) -> None:
    runs = keys.queue_list("default", 3)
    until(lambda: client.llen(runs) >= 3, deadline=60)
    leading = [b"leading" in beat.log.read_bytes() for beat in beats]
    assert sorted(leading) == [False, True]
    old, new = beats if leading[0] else reversed(beats)
    fires = client.hget(keys.SCHEDULE + "tick", "fires")
    old.process.send_signal(signal.SIGKILL)
    took = until(lambda: client.hget(keys.SCHEDULE + "tick", "fires") not in (fires, None), deadline=30)
    print(f"next fire {took:.1f} s after SIGKILL of the leading beat")
    assert took < 15
    until(lambda: client.llen(runs) >= 6)
    new.process.send_signal(signal.SIGTERM)
    assert new.process.wait(20) == 0
    assert client.get(keys.LEADER) is None
    ids = list(client.scan_iter(keys.RUN + "*"))
    nominal = [client.hget(record, "fire") for record in ids]
    assert len(set(nominal)) == len(nominal) == client.llen(runs)
    assert list(beats[0].log.parent.glob("celerybeat*")) == [], "no schedule file"
