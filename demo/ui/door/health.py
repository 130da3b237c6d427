"""Whether the server is alive and ready, which networks it has, and how long its lines are; nothing of visitors."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from demo.visitors.rooms import Rooms


@dataclass(frozen=True)
class Health:
    """What an operator may ask of a running server; to answer costs no more than to look.

    Args:
        rooms: Networks and trainings.
        count_lines: Returns how many events wait and run in each line of the page's queue.
        is_ready: Says whether the first network has answered.
    """

    rooms: Rooms
    count_lines: Callable[[], dict[str, tuple[int, int]]]
    is_ready: Callable[[], bool]

    def report(self) -> dict[str, Any]:
        """Return all of it, as JSON: `lines` are events and trainings that wait and run."""
        arrival, num_jobs = self.rooms.arrival, len(self.rooms.scheduler.jobs)
        lines = self.count_lines() | {"training": (max(0, num_jobs - 1), min(1, num_jobs))}
        return {
            "alive": True,
            "ready": self.is_ready(),
            "device": self.rooms.backbones.device,
            "networks": {
                "loaded": sorted(self.rooms.backbones.names),
                "preferred": arrival.backbone_name,
                "arriving": not arrival.over.is_set(),
                "failed": arrival.error is not None,
            },
            "lines": {name: {"waiting": waiting, "running": running} for name, (waiting, running) in lines.items()},
        }

    async def send(self, _request: Request) -> Response:
        """Answer with the report; the status is 503 until the page can answer a visitor."""
        report = self.report()
        return JSONResponse(report, 200 if report["ready"] else 503, {"Cache-Control": "no-store"})
