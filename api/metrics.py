"""What Prometheus reads: requests by route, and the rounds that the service holds."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector

from al_platform.domain.runs import RunState

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """The measures of one service, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.requests = Counter(
            "alp_requests", "Requests answered", ("method", "route", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "alp_request_seconds",
            "From the first byte asked to the last byte answered",
            ("method", "route"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.rounds = Gauge("alp_rounds", "Rounds given to the service", ("state",), registry=self.registry)

    def observe(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        self.requests.labels(method, route, str(status)).inc()
        self.seconds.labels(method, route).observe(seconds)

    def set_rounds(self, counts: dict[RunState, int]) -> None:
        """Set how many rounds are in each state."""
        for state, count in counts.items():
            self.rounds.labels(state.value).set(count)
