"""What the server tells Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

ROUTES = ("/predict", "/invocations", "/v2", "/health", "/model", "/metrics", "/docs", "/")
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0)


class Telemetry:
    """Counters of one server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "project_requests", "Requests", ["route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "project_seconds", "Time to answer", ["route"], buckets=SECONDS, registry=self.registry
        )
        self.rows = Counter("project_rows", "Rows scored", registry=self.registry)
        self.under_way = Gauge(
            "project_requests_under_way", "Bodies being read or scored", registry=self.registry
        )
        self.model = Gauge(
            "project_model", "1 for the model that is served", ["version"], registry=self.registry
        )
        self.refused = Counter(
            "project_models_refused", "Champions that could not be served", registry=self.registry
        )
        # Looking labels up costs more than counting.
        self._counts = {}  # type: ignore[var-annotated]
        self._times = {route: self.seconds.labels(route) for route in ROUTES}

    def count(self, path: str, status: int, seconds: float) -> None:
        """Count a request; paths of no known route are counted together, whatever they are."""
        route = route_of(path)
        counter = self._counts.get((route, status))
        if counter is None:
            counter = self._counts[route, status] = self.requests.labels(route, str(status))
        counter.inc()
        self._times[route].observe(seconds)

    def serve(self, version: str) -> None:
        """Say which version is served from now on."""
        self.model.clear()
        self.model.labels(version).set(1)

    def text(self) -> bytes:
        """Return the figures in the format of Prometheus."""
        return generate_latest(self.registry)


def route_of(path: str) -> str:
    """Return the known route that a path belongs to."""
    if path in ROUTES:
        return path
    first = "/" + path[1:].partition("/")[0]
    return first if first in ROUTES else "/"
