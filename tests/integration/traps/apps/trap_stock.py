"""A stock Celery application, as its documentation writes one; what a test sets comes as JSON."""

import json
import logging
import os

from celery import Celery

logging.basicConfig(format="shop says %(message)s")  # an application's own handler, before Celery's set-up
app = Celery("stock", include=["trap_tasks"])
app.conf.update(json.loads(os.environ["TRAP_CONF"]))
