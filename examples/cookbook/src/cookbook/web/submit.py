"""Submit a task and say how it ended: ``python -m cookbook.web.submit <task> <argument as JSON>…``."""

import asyncio
import json
import sys

from celeriac.client import Client
from celeriac.settings import load
from celeriac.states import State

LONGEST_SECONDS = 60


async def submit(name: str, arguments: list[object]) -> str:
    """Submit the task *name*, wait for its end, and say how it ended."""
    client = Client(load())
    try:
        run = await client.submit(client.app.signature(name, args=arguments))
        record = await client.wait(run, LONGEST_SECONDS)
    finally:
        await client.aclose()
    said = f"{record.state} after {record.retries} retries"
    if record.state is State.FAILED and record.error:  # one that was retried and succeeded still has its last error
        said += f": {record.error['type'].rpartition('.')[2]}: {record.error['message']}"
    return said


def main() -> None:
    """Run as a command."""
    name, *arguments = sys.argv[1:]
    sys.stdout.write(asyncio.run(submit(name, [json.loads(argument) for argument in arguments])) + "\n")


if __name__ == "__main__":
    main()
