"""What ``durability: replicated`` costs: submissions one after another and eight at a time, against ``local``.

Run with ``uv run python bench/drills/durability.py``: three data servers and three Sentinels on this machine, so the
network's share of the price is that of the loopback; add a round trip between your servers to each figure.
"""

import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from celeriac.redis import connect
from celeriac.settings.redis import RedisSettings
from celeriac.settings.task import DeliverySettings
from celeriac.submit import Submission, submit
from celeriac.testing import SentinelGroup

RUNS = 2000
SENDERS = 8


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        SentinelGroup(Path(folder)) as group,
        connect(RedisSettings(url=group.url)) as client,
    ):

        def one(settings: DeliverySettings) -> float:
            start = time.perf_counter()
            submit(client, Submission(task="shop.report", queue="default", priority=0), settings)
            return time.perf_counter() - start

        print(f"{'durability':<12}{'p50 ms':>8}{'p99 ms':>8}{'one sender /s':>15}{f'{SENDERS} senders /s':>15}")
        for durability in ("local", "replicated", "local", "replicated"):
            settings = DeliverySettings.model_validate({"durability": durability})
            client.flushall()
            one(settings)
            start = time.perf_counter()
            times = [one(settings) for _ in range(RUNS)]
            alone = RUNS / (time.perf_counter() - start)
            with ThreadPoolExecutor(SENDERS) as pool:
                start = time.perf_counter()
                list(pool.map(one, [settings] * RUNS))
                together = RUNS / (time.perf_counter() - start)
            cuts = statistics.quantiles(times, n=100)
            print(f"{durability:<12}{cuts[49] * 1e3:>8.2f}{cuts[98] * 1e3:>8.2f}{alone:>15.0f}{together:>15.0f}")


if __name__ == "__main__":
    main()
