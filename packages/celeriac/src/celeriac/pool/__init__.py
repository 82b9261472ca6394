"""The asyncio pool: ``async def`` tasks by the thousand in one worker process."""

from celeriac.pool.pool import TaskPool

__all__ = ["TaskPool"]
