"""Write the chart's Grafana dashboards; with --check, only say whether they are current.

Every query selects by the dashboard's namespace and release, which Prometheus has from the chart's monitors.
"""

import json
import sys
from pathlib import Path
from typing import NamedTuple

from grafana_foundation_sdk.builders import dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DataSourceRef, VariableRefresh

FOLDER = Path(__file__).parents[1] / "charts" / "celeriac" / "dashboards"
OF_RELEASE = 'namespace="$namespace",release="$release"'


class Panel(NamedTuple):
    """One graph: ``SELECT`` in a query stands for the release."""

    title: str
    description: str
    queries: dict[str, str]
    """Legend: query."""
    unit: str = "short"


ROWS: dict[str, list[Panel]] = {
    "Queues": [
        Panel(
            "Waiting runs",
            "Messages in the queue's lists, all priorities. What the autoscaler counts, with those in flight.",
            {"{{queue}}": "sum by (queue) (celery_queue_length{SELECT})"},
        ),
        Panel(
            "In flight",
            "Messages that workers hold under a lease.",
            {"{{queue}}": "sum by (queue) (celery_queue_unacked{SELECT})"},
        ),
        Panel(
            "Oldest waiting run",
            "How long the run that has waited longest has waited.",
            {"{{queue}}": "max by (queue) (celery_queue_oldest_age_seconds{SELECT})"},
            "s",
        ),
        Panel(
            "Delayed and dead",
            "Runs that wait for their time, and dead letters.",
            {"delayed": "max(celeriac_delayed_runs{SELECT})", "dead letters": "max(celeriac_dead_letters{SELECT})"},
        ),
    ],
    "Tasks": [
        Panel(
            "Runs that ended",
            "By how they ended.",
            {"{{status}}": "sum by (status) (rate(celery_tasks_total{SELECT}[$__rate_interval]))"},
            "reqps",
        ),
        Panel(
            "Failures by task",
            "Share of the runs of a task that fail.",
            {
                "{{task_name}}": (
                    'sum by (task_name) (rate(celery_tasks_total{SELECT,status="failure"}[$__rate_interval]))'
                    " / sum by (task_name) (rate(celery_tasks_total{SELECT}[$__rate_interval]))"
                )
            },
            "percentunit",
        ),
        Panel(
            "Duration",
            "From start to end of a run.",
            {
                f"{name} {{{{task_name}}}}": (
                    f"histogram_quantile({quantile}, sum by (le, task_name) "
                    "(rate(celery_task_duration_seconds_bucket{SELECT}[$__rate_interval])))"
                )
                for name, quantile in (("median", 0.5), ("p95", 0.95))
            },
            "s",
        ),
        Panel(
            "Wait",
            "From when a run could have started to its start.",
            {
                "p95 {{task_name}}": (
                    "histogram_quantile(0.95, sum by (le, task_name) "
                    "(rate(celery_task_wait_seconds_bucket{SELECT}[$__rate_interval])))"
                )
            },
            "s",
        ),
    ],
    "Workers": [
        Panel(
            "Workers",
            "Workers that Prometheus reaches, by group.",
            {"{{group}}": 'sum by (group) (up{SELECT,component="worker"})'},
        ),
        Panel(
            "Runs being worked on",
            "By group.",
            {"{{group}}": "sum by (group) (celery_active_tasks{SELECT})"},
        ),
        Panel(
            "Leases, and what lost workers held",
            "Processes that hold a lease; deliveries taken back from lost ones, per second.",
            {
                "leases": "max(celeriac_leases{SELECT})",
                "taken back: {{outcome}}": (
                    "sum by (outcome) (rate(celeriac_reclaimed_deliveries_total{SELECT}[$__rate_interval]))"
                ),
            },
        ),
        Panel(
            "Scheduler",
            "How many lead (one is right), and delayed runs moved to their queue per second.",
            {
                "leaders": "sum(celeriac_scheduler_leader{SELECT})",
                "moved": "sum(rate(celeriac_promoted_runs_total{SELECT}[$__rate_interval]))",
            },
        ),
    ],
    "API": [
        Panel(
            "Requests",
            "By status.",
            {"{{status}}": "sum by (status) (rate(celeriac_api_requests_total{SELECT}[$__rate_interval]))"},
            "reqps",
        ),
        Panel(
            "Time to submit",
            "From request to answer of a submission.",
            {
                name: (
                    f"histogram_quantile({quantile}, sum by (le) (rate(celeriac_api_request_duration_seconds_bucket"
                    '{SELECT,method="POST",route="/v1/tasks"}[$__rate_interval])))'
                )
                for name, quantile in (("median", 0.5), ("p99", 0.99))
            },
            "s",
        ),
        Panel(
            "Submitted runs",
            "Accepted by the API, by task.",
            {
                "{{task_name}}": (
                    "sum by (task_name) (rate(celeriac_api_submitted_runs_total{SELECT}[$__rate_interval]))"
                )
            },
            "reqps",
        ),
        Panel("Long polls", "Callers that wait for a run's end.", {"waiting": "sum(celeriac_api_waiters{SELECT})"}),
    ],
}

STATS = {
    "Backlog": "sum(celery_queue_length{SELECT}) + sum(celery_queue_unacked{SELECT})",
    "Oldest wait (s)": "max(celery_queue_oldest_age_seconds{SELECT})",
    "Workers": 'sum(up{SELECT,component="worker"})',
    "Leaders": "sum(celeriac_scheduler_leader{SELECT})",
    "Dead letters": "max(celeriac_dead_letters{SELECT})",
}

SOURCE = DataSourceRef(type_val="prometheus", uid="$datasource")


def _query(text: str, legend: str) -> prometheus.Dataquery:
    return prometheus.Dataquery().expr(text.replace("SELECT", OF_RELEASE)).legend_format(legend).datasource(SOURCE)


def _graph(panel: Panel) -> timeseries.Panel:
    graph = timeseries.Panel().title(panel.title).description(panel.description).unit(panel.unit).datasource(SOURCE)
    for index, (legend, text) in enumerate(panel.queries.items()):
        graph.with_target(_query(text, legend).ref_id(chr(ord("A") + index)))
    return graph.span(6).height(8).min(0)


def overview() -> str:
    """Return the dashboard of queues, tasks, workers and API as JSON."""
    board = (
        dashboard.Dashboard("Celeriac")
        .uid("celeriac")
        .tags(["celeriac", "celery"])
        .refresh("30s")
        .time("now-1h", "now")
        .timezone("browser")
        .with_variable(dashboard.DatasourceVariable("datasource").label("Source").type("prometheus"))
    )
    for name, of in (("namespace", ""), ("release", 'namespace="$namespace"')):
        board.with_variable(
            dashboard.QueryVariable(name)
            .label(name.capitalize())
            .query(f"label_values(celeriac_scheduler_leader{{{of}}}, {name})")
            .datasource(SOURCE)
            .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        )
    for title, text in STATS.items():
        board.with_panel(
            stat.Panel()
            .title(title)
            .datasource(SOURCE)
            .with_target(_query(text, title).ref_id("A"))
            .span(4)
            .height(4)
        )
    for row, panels in ROWS.items():
        board.with_row(dashboard.Row(row))
        for panel in panels:
            board.with_panel(_graph(panel))
    return json.dumps(json.loads(JSONEncoder(sort_keys=True).encode(board.build())), indent=1, sort_keys=True) + "\n"


def main() -> int:
    """Write the files, or compare them."""
    target = FOLDER / "celeriac.json"
    if "--check" not in sys.argv[1:]:
        FOLDER.mkdir(exist_ok=True)
        target.write_text(overview())
    elif not target.exists() or target.read_text() != overview():
        sys.stderr.write("charts/celeriac/dashboards is not current: run 'make generate'\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
