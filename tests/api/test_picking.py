"""From what a round found to what people are asked next: verified, looked up, picked by hand, withdrawn."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from al_platform.catalog.experiments import add_experiment, add_points
from al_platform.client import ServiceProblem
from al_platform.domain.access import Scope
from al_platform.domain.rounds import RoundState
from tests.api.conftest import ROUND, Served, serving
from tests.fleet import contents, frames_of

pytestmark = pytest.mark.story


@pytest.fixture(scope="module")
def ran(fleet_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, str]]:
    """A server whose home has run one round, and that round; the tests only add to it."""
    import shutil  # noqa: PLC0415

    home = Path(shutil.copytree(fleet_home, tmp_path_factory.mktemp("ran") / "home"))
    with serving(home) as served, served.client() as client:
        *_, ended = client.watch_round(client.submit_round(ROUND, idempotency_key="first").round_id)
        assert ended.state is RoundState.APPENDED
        yield served, ended.round_id


def test_a_round_verifies_and_says_what_differs_where_it_does_not(ran: tuple[Served, str]) -> None:
    served, round_id = ran
    catalog = served.service.platform.catalog
    with served.client(Scope.OPERATOR) as client:
        verified = client.verify_round(round_id)
        assert (verified.round_id, verified.equal, verified.differences) == (round_id, True, ())
        with catalog.transaction() as tx:
            tx.execute("UPDATE tasks SET score = score + 1 WHERE rank = 1 AND round_id = ?", [round_id])
        assert client.verify_round(round_id).differences[0].startswith("rank 1: task tsk_")
        with catalog.transaction() as tx:
            tx.execute("UPDATE tasks SET score = score - 1 WHERE rank = 1 AND round_id = ?", [round_id])
        with pytest.raises(ServiceProblem, match="round rnd_none: not in the catalog"):
            client.verify_round("rnd_none")


def test_what_looks_like_a_failure_goes_straight_to_a_queue_in_its_order_and_nothing_is_trained(
    ran: tuple[Served, str],
) -> None:
    served, round_id = ran
    pool = frames_of(served.service.platform, "split=pool")
    with served.client(Scope.OPERATOR) as client:
        found = client.similar(pool[:2], unlike=pool[-1:], filter_text="split=pool", count=8)
        assert [frame.score for frame in found] == sorted((frame.score for frame in found), reverse=True)
        wanted = [frame.frame_id for frame in found]
        sent = client.send_frames("failures", wanted, for_class="bicycle")
        assert client.send_frames("failures", wanted, for_class="bicycle").round_id == sent.round_id
        *_, ended = client.watch_round(sent.round_id)
        assert (ended.state, ended.trained_on) == (RoundState.APPENDED, client.round(round_id).trained_on)
        steps = {step.step: step for step in client.steps(sent.round_id)}
        assert steps["train"].cached
        assert steps["score"].outputs == {"scored_frames": 0}
        picks = list(client.selections(sent.round_id))
        assert {pick.for_class for pick in picks} == {"bicycle"}
        free = [frame_id for frame_id in wanted if frame_id in {pick.item_id for pick in picks}]
        assert [pick.item_id for pick in picks] == free
        assert client.verify_round(sent.round_id).equal
        for frames, change, message in [
            (["frm_none"], {}, "frame frm_none: not in pool"),
            (wanted, {"for_class": "tram"}, "class tram: no target of the round"),
            (wanted, {"annotator": "nobody"}, "annotator 'nobody': known are"),
        ]:
            with pytest.raises(ServiceProblem, match=message):
                client.send_frames("failures", frames, **change)


def test_frames_tell_what_ensembles_thought_of_them_and_which_nobody_labelled(ran: tuple[Served, str]) -> None:
    served, round_id = ran
    with served.client(Scope.READER) as client, served.http(Scope.READER) as http:
        pick = next(client.selections(round_id))
        (seen,) = http.get(f"/v1/frames/{pick.item_id}/uncertainty").json()
        assert set(seen["measures"]) == {"person", "bicycle", "car"}
        assert seen["measures"]["person"]["mi_sum"] >= 0
        assert http.get("/v1/frames/frm_none/uncertainty").json()["code"] == "not-found"
        labelled = {row["item_id"] for row in contents(served.service.platform)["annotations"]}
        assert client.count_frames(unlabelled=True).frames == 80 - len(labelled)
        items = http.get("/v1/frames", params={"unlabelled": True, "limit": 500}).json()["items"]
        assert not labelled & {frame["frame_id"] for frame in items}
        assert len(items) == 80 - len(labelled)


def test_a_queue_is_withdrawn_whole(ran: tuple[Served, str]) -> None:
    served, _ = ran
    with served.client(Scope.OPERATOR) as client, served.http(Scope.OPERATOR) as http:
        pool = frames_of(served.service.platform, "split=pool")
        *_, ended = client.watch_round(client.send_frames("mistaken", pool[10:13]).round_id)
        with served.service.platform.catalog.transaction() as tx:
            tx.execute("UPDATE tasks SET state = 'sent' WHERE round_id = ? AND rank > 0", [ended.round_id])
        tasks = len(list(client.selections(ended.round_id)))
        assert [task.state for task in client.withdraw_queue("mistaken")] == ["withdrawn"] * (tasks - 1)
        assert client.withdraw_queue("mistaken") == []
        queues = {queue["queue"]: queue["tasks"] for queue in http.get("/v1/queues").json()}
        assert queues["mistaken"] == {"labeled": 1, "withdrawn": tasks - 1}


def test_tags_and_experiments_come_in_pages(ran: tuple[Served, str]) -> None:
    served, _ = ran
    with served.service.platform.catalog.transaction() as tx:
        for number in range(3):
            add_experiment(tx, f"exp_{number}", "{}", now=f"2026-01-0{number + 1} 00:00:00.000000")
        add_points(tx, "exp_1", arm="mi", seed=0, points=[(0, None, "{}")])

    def pages(path: str, name: str) -> list[str]:
        found, cursor = [], None
        with served.http(Scope.READER) as http:
            while True:
                page = http.get(path, params={"limit": 1, **({"cursor": cursor} if cursor else {})}).json()
                found += [item[name] for item in page["items"]]
                cursor = page["next_cursor"]
                if cursor is None:
                    return found

    assert pages("/v1/experiments", "experiment_id") == ["exp_2", "exp_1", "exp_0"]
    tags = pages("/v1/tags", "name")
    assert tags == sorted(set(tags))
    assert "split" in tags
