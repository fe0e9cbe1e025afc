"""What the server tells Prometheus."""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, Counter, Gauge, Metric
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

ROUTES = ("/predict", "/invocations", "/v2", "/health", "/model", "/metrics", "/docs", "/")
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, float("inf"))


class Answered(Collector):
    """Requests and the time to answer them.

    Plain numbers, since the event loop alone counts: the library's own counters lock each time,
    which takes longer than to encode a row.
    """

    def __init__(self) -> None:
        self._requests: dict[tuple[str, int], int] = {}
        self._times = {route: [0] * len(SECONDS) for route in ROUTES}
        self._sums = dict.fromkeys(ROUTES, 0.0)

    def count(self, path: str, status: int, seconds: float) -> None:
        """Count a request; paths of no known route are counted together, whatever they are."""
        route = path if path in self._times else route_of(path)
        self._requests[route, status] = self._requests.get((route, status), 0) + 1
        self._times[route][bisect_left(SECONDS, seconds)] += 1
        self._sums[route] += seconds

    def collect(self) -> Iterator[Metric]:
        """Yield the figures."""
        requests = CounterMetricFamily("project_requests", "Requests", labels=["route", "status"])
        for (route, status), count in [*self._requests.items()]:
            requests.add_metric([route, str(status)], count)
        yield requests
        seconds = HistogramMetricFamily("project_seconds", "Time to answer", labels=["route"])
        for route, counts in self._times.items():
            steps = zip(map(floatToGoString, SECONDS), accumulate(counts), strict=True)
            seconds.add_metric([route], [*steps], self._sums[route])
        yield seconds


class Telemetry:
    """Figures of one server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.answered = Answered()
        self.registry.register(self.answered)
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
