"""The patterns of background work as ordinary Celery tasks, one module each."""

from cookbook.patterns import basic, logged, priorities, retries, routing, shared_client, steps
from cookbook.patterns.routing import task_routes

__all__ = ["basic", "logged", "priorities", "retries", "routing", "shared_client", "steps", "task_routes"]
