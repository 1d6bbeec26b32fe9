"""The client: one method for each question, answers as records, problems as errors."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx

from al_platform.client.connection import TIMEOUT_S, part, problem, record
from al_platform.client.judging import JudgingClient
from al_platform.client.records import (
    DatasetRecord,
    EstimateRecord,
    FrameCount,
    FrameRecord,
    ImportRecord,
    LoopRecord,
    LoopRoundRecord,
    MetricsRecord,
    QueueRecord,
    RoundRecord,
    ScenarioCount,
    ScenarioRecord,
    SimilarRecord,
    StepRecord,
    TaskRecord,
    TriageRecord,
    VerifiedRecord,
)
from al_platform.domain.records import record_from_json


class Client(JudgingClient):
    """A service at `url`, asked with a key; to be closed, or used by `with`."""

    def datasets(self) -> list[DatasetRecord]:
        """Give what was ingested."""
        return self._list(DatasetRecord, "/v1/datasets")

    def import_frames(self, adapter: str, path: str, options: Mapping[str, str] | None = None) -> ImportRecord:
        """Bring a dataset in from the inbox of the service's home; again it adds nothing."""
        body = {"adapter": adapter, "path": path, "options": dict(options or {})}
        return self._one(ImportRecord, "POST", "/v1/imports", body=body)

    def count_frames(self, filter_text: str = "", *, unlabelled: bool = False) -> FrameCount:
        """Give how many frames a filter matches, all or those nobody ever labelled, and of how many sessions."""
        asked = {"filter": filter_text, "unlabelled": str(unlabelled).lower()}
        return self._one(FrameCount, "GET", "/v1/frames/count", params=asked)

    def frames(self, filter_text: str = "", *, page: int = 200) -> Iterator[FrameRecord]:
        """Give every frame that a filter matches, by session and number, fetched a page at a time."""
        return self._pages(FrameRecord, "/v1/frames", {"filter": filter_text}, page=page)

    def thumbnail(self, frame_id: str, *, size: int = 256) -> bytes:
        """Give a JPEG of a frame whose longer side is at most `size` pixels."""
        return self._ask("GET", f"/v1/frames/{part(frame_id)}/thumbnail", params={"size": size}).content

    def scenarios(self, filter_text: str = "", *, page: int = 200) -> Iterator[ScenarioRecord]:
        """Give every scenario that a filter matches, by session and name, fetched a page at a time."""
        return self._pages(ScenarioRecord, "/v1/scenarios", {"filter": filter_text}, page=page)

    def count_scenarios(self, filter_text: str = "") -> ScenarioCount:
        """Give how many scenarios a filter matches, and of how many sessions."""
        return self._one(ScenarioCount, "GET", "/v1/scenarios/count", params={"filter": filter_text})

    def scenario(self, scenario_id: str) -> ScenarioRecord:
        """Give a scenario."""
        return self._one(ScenarioRecord, "GET", f"/v1/scenarios/{part(scenario_id)}")

    def scenario_thumbnail(self, scenario_id: str) -> bytes:
        """Give the middle of a scenario from above: a PNG."""
        return self._ask("GET", f"/v1/scenarios/{part(scenario_id)}/thumbnail").content

    def scenario_clip(self, scenario_id: str) -> bytes:
        """Give a scenario from above as a moving picture: a GIF."""
        return self._ask("GET", f"/v1/scenarios/{part(scenario_id)}/clip").content

    def rounds(self, *, state: str = "", page: int = 200) -> Iterator[RoundRecord]:
        """Give rounds, newest first, in one state or ("") any."""
        return self._pages(RoundRecord, "/v1/rounds", {"state": state} if state else {}, page=page)

    def round(self, round_id: str) -> RoundRecord:
        """Give how far a round is."""
        return self._one(RoundRecord, "GET", f"/v1/rounds/{part(round_id)}")

    def steps(self, round_id: str) -> list[StepRecord]:
        """Give the finished steps of a round, in order."""
        return self._list(StepRecord, f"/v1/rounds/{part(round_id)}/steps")

    def selections(self, round_id: str, *, page: int = 200) -> Iterator[TaskRecord]:
        """Give what a round picked, best first."""
        return self._pages(TaskRecord, f"/v1/rounds/{part(round_id)}/selections", {}, page=page)

    def triage(self, round_id: str) -> TriageRecord | None:
        """Give what people said of the scenarios of a round so far; None for a round of frames."""
        found = self._ask("GET", f"/v1/rounds/{part(round_id)}/triage").json()
        return record(TriageRecord, found) if found else None

    def heatmap(self, round_id: str, frame_id: str, *, class_name: str) -> bytes:
        """Give where the ensemble disagrees about a class: a PNG, a pixel a cell."""
        path = f"/v1/rounds/{part(round_id)}/selections/{part(frame_id)}/heatmap"
        return self._ask("GET", path, params={"class": class_name}).content

    def metrics(self, ensemble_id: str) -> MetricsRecord:
        """Give what was measured of an ensemble on frozen test sets."""
        return self._one(MetricsRecord, "GET", f"/v1/ensembles/{part(ensemble_id)}/metrics")

    def estimate_round(self, wanted: Mapping[str, Any]) -> EstimateRecord:
        """Give what a round would take."""
        return self._one(EstimateRecord, "POST", "/v1/rounds/estimate", body=wanted)

    def submit_round(self, wanted: Mapping[str, Any], *, idempotency_key: str) -> RoundRecord:
        """Submit a round; the same key and request bring back the same round.

        Answered before the pool is frozen: until then the round goes by the id of the request, `req_...`.
        """
        headers = {"Idempotency-Key": idempotency_key}
        return self._one(RoundRecord, "POST", "/v1/rounds", body=wanted, headers=headers)

    def cancel_round(self, round_id: str) -> RoundRecord:
        """Cancel a round."""
        return self._one(RoundRecord, "POST", f"/v1/rounds/{part(round_id)}/cancel")

    def resume_round(self, round_id: str) -> RoundRecord:
        """Go on with a round that waits or failed on the way."""
        return self._one(RoundRecord, "POST", f"/v1/rounds/{part(round_id)}/resume")

    def verify_round(self, round_id: str) -> VerifiedRecord:
        """Have a round select again from its stored inputs, and say how its picks differ."""
        return self._one(VerifiedRecord, "POST", f"/v1/rounds/{part(round_id)}/verify")

    def similar(
        self,
        like: Sequence[str],
        *,
        unlike: Sequence[str] = (),
        filter_text: str = "",
        count: int = 20,
        round_id: str = "",
    ) -> list[SimilarRecord]:
        """Give the frames most like some examples and least like others, best first."""
        body = {
            "like": list(like),
            "unlike": list(unlike),
            "filter": filter_text,
            "count": count,
            "round_id": round_id,
        }
        return [record(SimilarRecord, item) for item in self._ask("POST", "/v1/similar", body=body).json()]

    def send_frames(
        self, queue: str, frames: Sequence[str], *, round_id: str = "", annotator: str = "", for_class: str = ""
    ) -> RoundRecord:
        """Send frames picked by hand straight to a queue; the same frames are the same round."""
        body = {"frames": list(frames), "round_id": round_id, "annotator": annotator, "for_class": for_class}
        return self._one(RoundRecord, "POST", f"/v1/queues/{part(queue)}/frames", body=body)

    def withdraw_queue(self, queue: str) -> list[TaskRecord]:
        """Withdraw every task of a queue that nobody has answered."""
        answer = self._ask("POST", f"/v1/queues/{part(queue)}/withdraw")
        return [record(TaskRecord, item) for item in answer.json()]

    def queues(self) -> list[QueueRecord]:
        """Give every queue and how many of its tasks are in each state."""
        return self._list(QueueRecord, "/v1/queues")

    def tasks(self, queue: str = "", *, page: int = 200) -> Iterator[TaskRecord]:
        """Give the tasks of a queue, or of all, in the order people see them."""
        return self._pages(TaskRecord, "/v1/tasks", {"queue": queue} if queue else {}, page=page)

    def move_task(self, task_id: str, rank: int) -> TaskRecord:
        """Give a task that still waits another place of its queue; 0 is seen first."""
        return self._change_task(task_id, {"rank": rank})

    def withdraw_task(self, task_id: str) -> TaskRecord:
        """Withdraw a task that nobody has answered."""
        return self._change_task(task_id, {"state": "withdrawn"})

    def watch_round(self, round_id: str) -> Iterator[RoundRecord]:
        """Give the status of a round whenever it changes, until it rests."""
        path = f"/v1/rounds/{part(round_id)}/events"
        with self._http.stream("GET", path, timeout=httpx.Timeout(TIMEOUT_S, connect=5.0)) as answer:
            if answer.is_error:
                answer.read()
                raise problem(answer)
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    yield record_from_json(RoundRecord, line.removeprefix("data: "))

    def loops(self, *, state: str = "", page: int = 200) -> Iterator[LoopRecord]:
        """Give loops, newest first, in one state or ("") any."""
        return self._pages(LoopRecord, "/v1/loops", {"state": state} if state else {}, page=page)

    def loop(self, loop_id: str) -> LoopRecord:
        """Give how far a loop is."""
        return self._one(LoopRecord, "GET", f"/v1/loops/{part(loop_id)}")

    def loop_rounds(self, loop_id: str) -> list[LoopRoundRecord]:
        """Give the rounds of a loop, oldest first."""
        return self._list(LoopRoundRecord, f"/v1/loops/{part(loop_id)}/rounds")

    def create_loop(self, wanted: Mapping[str, Any], *, idempotency_key: str) -> LoopRecord:
        """Make a loop; the same key and request bring back the same loop."""
        headers = {"Idempotency-Key": idempotency_key}
        return self._one(LoopRecord, "POST", "/v1/loops", body=wanted, headers=headers)

    def pause_loop(self, loop_id: str) -> LoopRecord:
        """Let no further round of a loop begin."""
        return self._one(LoopRecord, "POST", f"/v1/loops/{part(loop_id)}/pause")

    def resume_loop(self, loop_id: str) -> LoopRecord:
        """Go on with a paused loop."""
        return self._one(LoopRecord, "POST", f"/v1/loops/{part(loop_id)}/resume")

    def cancel_loop(self, loop_id: str) -> LoopRecord:
        """End a loop for good, and the round of it that is on its way."""
        return self._one(LoopRecord, "POST", f"/v1/loops/{part(loop_id)}/cancel")

    def _change_task(self, task_id: str, change: Mapping[str, Any]) -> TaskRecord:
        path = f"/v1/tasks/{part(task_id)}"
        version = self._ask("GET", path).headers["ETag"]
        return self._one(TaskRecord, "PATCH", path, body=change, headers={"If-Match": version})
