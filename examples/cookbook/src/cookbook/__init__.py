"""Every pattern of background work, as ordinary Celery tasks."""
