"""What Prometheus scrapes of the API."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector


class Metrics:
    """The API's metrics, in a registry of their own so that two applications in one process do not clash."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.requests = Counter(
            "celeriac_api_requests",
            "Requests answered, by route template.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.duration = Histogram(
            "celeriac_api_request_duration_seconds",
            "Time to answer, long polls included.",
            ["method", "route"],
            registry=self.registry,
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15, 60),
        )
        self.active = Gauge("celeriac_api_active_requests", "Requests being answered.", registry=self.registry)
        self.waiters = Gauge("celeriac_api_waiters", "Long polls that wait now.", registry=self.registry)
        self.submitted = Counter(
            "celeriac_api_submitted_runs",
            "Runs accepted; 'again' are those that an id or Idempotency-Key had made before.",
            ["task_name", "outcome"],
            registry=self.registry,
        )
