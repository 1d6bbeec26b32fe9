"""Durable work: turns that are each taken once, with durable rests between them, whatever dies when.

The only module that knows the workflow engine. A workflow here is as small as can be: it takes a turn, rests for as
long as the turn says or until it is woken, and takes the next. What a turn does, and all state that people see, is
the catalog's; the engine keeps which work is open and where it stands.
"""

import asyncio
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID, WorkflowSerializationFormat
from dbos import error as engine_errors
from sqlalchemy.exc import SQLAlchemyError

from al_platform.domain.hashing import hash_bytes
from al_platform.errors import Conflict, StorageUnavailable
from al_platform.loop.turns import Turn, Work

APPLICATION = "al-platform"
VERSION = "1"
"""Of the shape of the workflow below. Where it changes, open work is begun anew: the catalog knows how far it is."""

_QUEUE, _TOPIC = "work", "wake"
_LOOK_EVERY_S = 0.25
_RECOVERIES = 1_000_000
"""A workflow may be open for months; every restart of the service takes it up again."""


_TROUBLE = (OSError, SQLAlchemyError, engine_errors.DBOSException)


class Engine:
    """Takes turns of open work until it is closed; what is open then goes on with the next engine on this database.

    One process has one engine; one home has one process, which the lock of its catalog ensures. So the executor's
    name may be the home's own: whoever holds the home takes over what the one before left open.

    Raises: StorageUnavailable where the database cannot be used, Conflict where this process has an engine.
    """

    _only_one = threading.Lock()

    def __init__(self, url: str, *, home: str, kinds: Mapping[str, Work]) -> None:
        if not Engine._only_one.acquire(blocking=False):
            raise Conflict("this process has the work of another home under way; close its service first")
        self._kinds = kinds
        self._lock = threading.RLock()
        self._lanes = {kind: ThreadPoolExecutor(1, thread_name_prefix=kind) for kind in kinds}
        self._open: dict[tuple[str, str], str] = {}
        self._again: set[tuple[str, str]] = set()
        self._closing = False
        self._launch(url, name=f"home_{hash_bytes(home.encode())[:16]}")

    def begin(self, kind: str, key: str) -> None:
        """Open work in its first state, or wake it where it is open already.

        Raises: StorageUnavailable where the database cannot be written.
        """
        with self._lock, _reaching_the_database():
            if self.wake(kind, key):
                return
            name = f"{kind}/{key}/{uuid.uuid4().hex[:8]}"
            with SetWorkflowID(name):
                DBOS.enqueue_workflow(_QUEUE, self._workflow, kind, key)
            self._open[kind, key] = name

    def wake(self, kind: str, key: str) -> bool:
        """End the rest of open work; False for work that is not open. Often before its next turn is as once.

        Raises: StorageUnavailable where the database cannot be written.
        """
        with self._lock, _reaching_the_database():
            name = self._open.get((kind, key))
            if name is not None and (kind, key) not in self._again:
                DBOS.send(name, "now", topic=_TOPIC)
                self._again.add((kind, key))
        return name is not None

    @property
    def closing(self) -> bool:
        """Whether turns that are being taken had better end."""
        return self._closing

    def is_open(self, kind: str, key: str) -> bool:
        """Say whether work is open."""
        return (kind, key) in self._open

    def close(self) -> None:
        """Wait for the turns that are being taken; what is unfinished stays open, for the next engine."""
        with self._lock:
            self._closing = True
        for lane in self._lanes.values():
            lane.shutdown(wait=True, cancel_futures=True)
        DBOS.destroy(destroy_registry=True)
        Engine._only_one.release()

    def _launch(self, url: str, *, name: str) -> None:
        config = DBOSConfig(
            name=APPLICATION,
            system_database_url=url,
            dbos_system_schema=name,
            application_version=VERSION,
            executor_id=name,
            serializer=DBOSPortableJSONSerializer(),
            log_level="CRITICAL",
            notification_listener_polling_interval_sec=_LOOK_EVERY_S,
            scheduler_polling_interval_sec=3600.0,
        )
        try:
            with _reaching_the_database():
                DBOS(config=config)
                self._workflow = self._registered()
                DBOS.launch()
                DBOS.register_queue(_QUEUE, polling_interval_sec=_LOOK_EVERY_S, on_conflict="always_update")
                self._take_over()
        except StorageUnavailable:
            DBOS.destroy(destroy_registry=True)
            Engine._only_one.release()
            raise

    def _take_over(self) -> None:
        """Know again what was left open; work of another shape is begun anew by whoever asks for it."""
        for workflow in DBOS.list_workflows(status=["PENDING", "ENQUEUED"], load_output=False):
            kind, key, _ = workflow.workflow_id.split("/")
            if workflow.app_version == VERSION:
                self._open[kind, key] = workflow.workflow_id
            else:
                DBOS.cancel_workflow(workflow.workflow_id)

    def _registered(self) -> Any:
        @DBOS.workflow(
            name="work",
            max_recovery_attempts=_RECOVERIES,
            serialization_type=WorkflowSerializationFormat.PORTABLE,
        )
        async def work(kind: str, key: str) -> str:
            try:
                return await self._turns(kind, key)
            except _TROUBLE as error:
                await self._lost(kind, key, error)
                raise

        return work

    async def _turns(self, kind: str, key: str) -> str:
        state = ""
        while True:
            # a recorded step directly before every rest: what a rest follows is known when it is taken up again
            turn = await DBOS.run_step_async({"name": state or "begin"}, self._turn, kind, key, state)
            state = str(turn["state"])
            if turn["ended"]:
                return state
            if turn["rests_s"] is not None:
                await DBOS.recv_async(topic=_TOPIC, timeout_seconds=turn["rests_s"])

    async def _lost(self, kind: str, key: str, error: Exception) -> None:
        """Close work whose turns can no longer be recorded; whoever opens it again lets it go on from the catalog."""
        with self._lock:
            self._open.pop((kind, key), None)
            self._again.discard((kind, key))
        await self._in_lane(kind, self._kinds[kind].failed, key, "", _unavailable(error))

    async def _turn(self, kind: str, key: str, state: str) -> dict[str, Any]:
        work = self._kinds[kind]
        with self._lock:
            self._again.discard((kind, key))
        done = await self._in_lane(kind, work.take, key, state)
        error = done.exception()
        if error is not None:
            done = await self._in_lane(kind, work.failed, key, state, error)
        return asdict(self._concluded((kind, key), done.result()))

    async def _in_lane(self, kind: str, function: Callable[..., Turn], *arguments: object) -> Future[Turn]:
        """Run in the lane of a kind; where the engine closes, never come back: nothing is recorded of the turn."""
        future: Future[Turn] | None = None
        with self._lock:
            if not self._closing:
                future = self._lanes[kind].submit(function, *arguments)
        if future is not None:
            heard = asyncio.wrap_future(future)
            heard.add_done_callback(lambda done: done.cancelled() or done.exception())  # it is read below
            await asyncio.wait([heard])
        if future is None or self._closing:
            await asyncio.Event().wait()
        assert future is not None
        return future

    def _concluded(self, key: tuple[str, str], turn: Turn) -> Turn:
        """A turn that ended work which somebody asked for meanwhile has not ended it, and rests no longer."""
        with self._lock:
            asked = key in self._again
            self._again.discard(key)
            if asked:
                return replace(turn, ended=False, rests_s=None)
            if turn.ended:
                self._open.pop(key, None)
        return turn


@contextmanager
def _reaching_the_database() -> Iterator[None]:
    try:
        yield
    except _TROUBLE as error:
        raise _unavailable(error) from error


def _unavailable(error: Exception) -> StorageUnavailable:
    return StorageUnavailable(f"workflows: {error}; free space for the home, or see ALP_WORKFLOWS_URL")
