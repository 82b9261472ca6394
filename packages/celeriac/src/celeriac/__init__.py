"""Celeriac: Celery on Kubernetes, run like a managed service."""
