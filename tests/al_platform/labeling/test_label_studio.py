"""Label Studio as it is: tasks are made once, in our order, and what people say comes back."""

import re
import threading

import httpx
import pytest

from al_platform.domain.labels import LabelTask
from al_platform.errors import LabelingUnavailable
from al_platform.labeling.label_studio_projects import RANK_VIEW
from tests.al_platform.labeling.label_studio_tasks import PERSON, region, rejection, tasks, tool
from tests.label_studio import PASSWORD, TOKEN, USER, Server

pytestmark = pytest.mark.label_studio


def ids_on(server: Server, queue: str) -> list[str]:
    return [task["data"]["external_id"] for task in server.tasks(queue)]


def id_of(server: Server, queue: str, task: LabelTask) -> int:
    return next(int(its["id"]) for its in server.tasks(queue) if its["data"]["external_id"] == task.task_id)


def test_sending_twice_and_from_another_process_makes_one_task_each(label_studio: Server) -> None:
    wanted = tasks("twice", 3)
    first = tool(label_studio.url, TOKEN, "twice")
    first.send(wanted[:2])
    first.send(wanted)
    tool(label_studio.url, TOKEN, "twice").send(wanted)
    assert sorted(ids_on(label_studio, "twice")) == sorted(task.task_id for task in wanted)
    assert len(label_studio.projects("twice")) == 1


def test_senders_that_race_make_one_task_each(label_studio: Server) -> None:
    wanted, failed = tasks("race", 4), list[BaseException]()
    ready = threading.Barrier(3)

    def send() -> None:
        ready.wait()
        try:
            tool(label_studio.url, TOKEN, "race").send(wanted)
        except LabelingUnavailable as error:
            failed.append(error)

    threads = [threading.Thread(target=send) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tool(label_studio.url, TOKEN, "race").send(wanted)
    assert not failed
    assert sorted(ids_on(label_studio, "race")) == sorted(task.task_id for task in wanted)


def test_a_copy_that_somebody_labelled_is_the_one_that_stays(label_studio: Server) -> None:
    (wanted,) = tasks("copy", 1)
    tool(label_studio.url, TOKEN, "copy").send([wanted])
    (original,) = label_studio.tasks("copy")
    copy = {"data": original["data"]}
    label_studio.ask("POST", f"/api/projects/{original['project']}/import", [copy])
    _, second = label_studio.tasks("copy")
    label_studio.annotate(second["id"], [region()])
    tool(label_studio.url, TOKEN, "copy").send([wanted])
    assert [task["id"] for task in label_studio.tasks("copy")] == [second["id"]]


def test_the_view_shows_tasks_in_the_order_of_ranks(label_studio: Server) -> None:
    wanted = tasks("order", 12)
    sender = tool(label_studio.url, TOKEN, "order")
    sender.send(wanted[6:])
    sender.send(wanted)
    (project,) = label_studio.projects("order")
    views = label_studio.ask("GET", "/api/dm/views", project=project["id"])
    (view,) = [view for view in views if view["data"]["title"] == RANK_VIEW]
    shown = label_studio.ask("GET", "/api/tasks", project=project["id"], view=view["id"], page_size=100)["tasks"]
    assert [task["data"]["rank"] for task in shown] == list(range(12))


def test_a_queue_is_cut_into_projects_before_one_is_too_large(label_studio: Server) -> None:
    wanted = tasks("cut", 5)
    sender = tool(label_studio.url, TOKEN, "cut", tasks_per_project=2, tasks_per_import=3)
    sender.send(wanted)
    assert [project["task_number"] for project in label_studio.projects("cut")] == [2, 2, 1]
    label_studio.annotate(id_of(label_studio, "cut", wanted[0]), [region()])
    label_studio.annotate(id_of(label_studio, "cut", wanted[4]), [])
    results = list(sender.collect(wanted))
    assert [result.task_id for result in results] == [wanted[0].task_id, wanted[4].task_id]


def test_proposals_carry_the_model_and_its_score(label_studio: Server) -> None:
    wanted = tasks("proposal", 2)
    tool(label_studio.url, TOKEN, "proposal").send(wanted)
    (project,) = label_studio.projects("proposal")
    (prediction,) = label_studio.ask("GET", "/api/predictions", project=project["id"])
    assert (prediction["model_version"], prediction["score"]) == ("ens_1", 0.75)
    assert prediction["result"][0]["score"] == 0.75
    assert project["model_version"] == "ens_1"


def test_annotators_start_from_the_proposals_of_the_ensemble_that_was_sent_last(label_studio: Server) -> None:
    tool(label_studio.url, TOKEN, "last").send(tasks("last", 2))
    tool(label_studio.url, TOKEN, "last", model_version="ens_2").send(tasks("last again", 2))
    (project,) = label_studio.projects("last")
    assert project["model_version"] == "ens_2"


def test_after_the_watermark_only_changes_are_read_and_a_correction_is_one(label_studio: Server) -> None:
    wanted = tasks("mark", 2)
    sender = tool(label_studio.url, TOKEN, "mark")
    sender.send(wanted)
    first = label_studio.annotate(id_of(label_studio, "mark", wanted[0]), [region()])
    (before,) = sender.collect(wanted)
    assert before.annotation is not None
    assert before.annotation.boxes == (PERSON,)
    assert [result.task_id for result in sender.collect(wanted, since="2026-01-01T00:00:00.000000Z")] == [
        wanted[0].task_id
    ]
    assert not list(sender.collect(wanted, since="2100-01-01T00:00:00.000000Z"))
    label_studio.change(first, result=[rejection("privacy")])
    (after,) = sender.collect(wanted, since=before.answers[0].changed_at)
    assert (after.annotation, after.rejected) == (None, "privacy")
    assert after.answers[0].answer_id == before.answers[0].answer_id
    assert after.answers[0].changed_at > before.answers[0].changed_at
    (project,) = label_studio.projects("mark")
    assert label_studio.ask("GET", f"/api/projects/{project['id']}/exports") == []
    assert len(label_studio.ask("GET", "/api/dm/views", project=project["id"])) == 1


def test_two_people_who_disagree_wait_for_a_reviewer(label_studio: Server) -> None:
    (wanted,) = tasks("review", 1)
    sender = tool(label_studio.url, TOKEN, "review", answers=2)
    sender.send([wanted])
    task = id_of(label_studio, "review", wanted)
    second = label_studio.ask(
        "POST", "/api/users/", {"email": "second@example.org", "username": "second", "password": "long-password-2"}
    )["id"]
    label_studio.annotate(task, [region()])
    assert [result.waits for result in sender.collect([wanted])] == ["1 of 2 answers are in"]
    other = label_studio.annotate(task, [], completed_by=second)
    (result,) = sender.collect([wanted])
    assert result.annotation is None
    assert "a reviewer has to decide" in result.waits
    assert len({answer.annotator for answer in result.answers}) == 2
    label_studio.change(other, ground_truth=True)
    (result,) = sender.collect([wanted])
    assert result.annotation is not None
    assert result.annotation.boxes == ()


def test_what_the_server_took_without_a_check_waits_with_its_reason(label_studio: Server) -> None:
    (wanted,) = tasks("strange", 1)
    sender = tool(label_studio.url, TOKEN, "strange")
    sender.send([wanted])
    task = id_of(label_studio, "strange", wanted)
    label_studio.annotate(task, [region(rectanglelabels=["tram"])])
    (result,) = sender.collect([wanted])
    assert result.annotation is None
    assert result.waits.endswith("region 1: label ['tram'] is not one of person, car")
    label_studio.annotate(task, [region()])
    (result,) = sender.collect([wanted])
    assert result.annotation is not None


def test_a_personal_access_token_does_what_a_legacy_token_does(label_studio: Server) -> None:
    (wanted,) = tasks("personal", 1)
    sender = tool(label_studio.url, personal_token(label_studio), "personal")
    sender.send([wanted])
    label_studio.annotate(id_of(label_studio, "personal", wanted), [])
    (result,) = sender.collect([wanted])
    assert result.annotation is not None


def personal_token(server: Server) -> str:
    """Make a personal access token as the account page does."""
    with httpx.Client(base_url=server.url, timeout=60.0, follow_redirects=True) as browser:
        page = browser.get("/user/login/").text
        secret = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[0]
        form = {"email": USER, "password": PASSWORD, "csrfmiddlewaretoken": secret}
        browser.post("/user/login/", data=form, headers={"Referer": f"{server.url}/user/login/"})
        made = browser.post("/api/token/", headers={"X-CSRFToken": browser.cookies["csrftoken"], "Referer": server.url})
        assert made.is_success, made.text
        return str(made.json()["token"])
