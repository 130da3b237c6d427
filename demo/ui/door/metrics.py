"""Metrics in Prometheus' format, where they are asked for: counts of requests, lines and networks, none of visitors.

Source:
    https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from collections.abc import Iterator
from typing import Any

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo.ui.door.errors import MetricsMissing
from demo.ui.door.health import Health
from demo.ui.server.internals import API_PREFIX

METRICS = "/metrics"
# What a path is of, by its beginning; no path itself is counted, for it may name a visitor's file.
_KINDS = {
    f"{API_PREFIX}/upload": "upload",
    f"{API_PREFIX}/file": "file",
    f"{API_PREFIX}/call": "program",
    API_PREFIX: "event",
    "/assets": "asset",
}
_METHODS = ("GET", "HEAD", "POST", "OPTIONS")


def make_metrics(health: Health) -> tuple[Route, Middleware]:
    """Return the route that tells, and what counts all requests.

    Raises:
        MetricsMissing: If the package is not installed.
    """
    try:
        import prometheus_client as prometheus
        from prometheus_client.exposition import CONTENT_TYPE_LATEST
    except ImportError as error:
        raise MetricsMissing() from error
    registry = prometheus.CollectorRegistry()
    prometheus.ProcessCollector(registry=registry)
    registry.register(_Looked(health))
    requests = prometheus.Counter(
        "demo_requests", "Requests that were answered", ["kind", "method", "status"], registry=registry
    )

    async def send(_request: Request) -> Response:  # in the thread of the queue that is looked at
        return Response(prometheus.generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return Route(METRICS, send), Middleware(Counted, counter=requests)


class Counted:
    """ASGI middleware that counts requests by what they are of, and by how they were answered."""

    def __init__(self, app: ASGIApp, counter: Any) -> None:
        self._app, self._counter = app, counter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count it when its answer begins."""

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                kind = next((kind for start, kind in _KINDS.items() if scope["path"].startswith(start)), "page")
                method = scope["method"] if scope["method"] in _METHODS else "other"
                self._counter.labels(kind, method, str(message["status"])).inc()
            await send(message)

        await self._app(scope, receive, send_counted if scope["type"] == "http" else send)


class _Looked:
    """Gauges that are looked up when they are asked for."""

    def __init__(self, health: Health) -> None:
        self._health = health

    def collect(self) -> Iterator[Any]:
        """Yield each gauge."""
        from prometheus_client.core import GaugeMetricFamily

        report = self._health.report()
        yield GaugeMetricFamily("demo_ready", "1 once the page can answer a visitor", float(report["ready"]))
        yield GaugeMetricFamily("demo_sessions", "Sessions that are kept", float(len(self._health.rooms.sessions)))
        loaded = GaugeMetricFamily("demo_network_loaded", "1 for each network in memory", labels=["network"])
        for name in report["networks"]["loaded"]:
            loaded.add_metric([name], 1.0)
        yield loaded
        lines = GaugeMetricFamily("demo_line", "Events or trainings in each line", labels=["line", "state"])
        for name, counts in report["lines"].items():
            for state, count in counts.items():
                lines.add_metric([name, state], float(count))
        yield lines
