"""What the package offers: its entry point names this module."""

from cookbook.freshness import freshness
from cookbook.report import report
from cookbook.thumbnails import thumbnails

__all__ = ["beat_schedule", "freshness", "report", "thumbnails"]

beat_schedule = {"orders-freshness": {"task": "cookbook.freshness", "schedule": 60.0}}
"""As in Celery's own configuration."""
