import subprocess
import sys

FIRST_RUNS = """
from gevent import monkey
monkey.patch_all()
import asyncio
import gevent
from celery import Celery
from celeriac.task import bridge

app = Celery(task_cls="celeriac.task:Task")

@app.task
async def add(a, b):
    await asyncio.sleep(0)
    return a + b

greenlets = []
for n in range(5):
    greenlets.append(gevent.spawn(add, n, n))
    gevent.sleep(0)
print([greenlet.get(timeout=20) for greenlet in greenlets])
bridge.close()
"""


def test_greenlets_that_come_first_all_wait_for_their_coroutines() -> None:
    """While one starts the loop, that loop seems to run in the others, which must not leave their coroutine to it."""
    done = subprocess.run([sys.executable, "-c", FIRST_RUNS], capture_output=True, text=True, timeout=60)
    assert done.stdout == "[0, 2, 4, 6, 8]\n", done.stderr
