"""From nothing to a round that people labelled and a loop by the clock, as the README walks.

A new home, `alp serve` over PostgreSQL, the real Label Studio, a real browser. What the browser showed lies in the
test's folder, `tmp_path/seen`.
"""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from al_platform.domain.labels import Box
from al_platform.labeling.label_studio_convert import box_region
from tests.browser import window
from tests.fleet import OPTIONS
from tests.label_studio import PASSWORD, TOKEN, USER, Server, free_port
from tests.stories.pages import COMPUTED_MS, FORM, LOOKS, fill, log_in, looked_at, pictured, require_drawn, visit_all
from tests.stories.test_hints import until
from tests.stories.test_served import ALP, started

pytestmark = [pytest.mark.story, pytest.mark.label_studio]
FRAMES = int(FORM["Frames to label"])
WITH_PEOPLE = {**FORM, "Labelling tool": "label-studio"}
NIGHTLY = {"Name": "every minute", "Schedule, UTC": "* * * * *", "Rounds, at most": "3", "Random control share": "0.34"}
ANSWERED = re.compile(r"/annotations/?(\?|$)")
"""Where Label Studio's page sends an answer; drafts go elsewhere."""
BOTH_PICTURES = """[...document.images].filter(one =>
    one.naturalWidth && (one.src.startsWith('blob:') || one.src.includes('/pictures/task/'))).length >= 2"""
REJECTED = {"type": "choices", "from_name": "reject", "to_name": "image", "value": {"choices": ["blurred"]}}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A new home with the virtual fleet, as the command makes it."""
    options = [part for name, value in OPTIONS.items() for part in ("--option", f"{name}={value}")]
    subprocess.run([ALP, "--home", tmp_path / "home", "ingest", "synthetic", *options], check=True, capture_output=True)
    return tmp_path / "home"


@pytest.fixture
def port(label_studio: Server, workflows: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """The port of the service; its environment names PostgreSQL, Label Studio, and the way back from there."""
    port = free_port()
    here = f"http://127.0.0.1:{port}"
    wanted = {
        "ALP_LABEL_STUDIO_URL": label_studio.url,
        "ALP_LABEL_STUDIO_TOKEN": TOKEN,
        "ALP_LABEL_STUDIO_POLL_S": "5",
        "ALP_PUBLIC_URL": here,
        "ALP_BROWSER_URL": here,
        "ALP_HOOK_SECRET": "a-secret-of-the-hook",
    }
    for name, value in wanted.items():
        monkeypatch.setenv(name, value)
    return port


def test_a_round_is_asked_for_labelled_by_people_and_followed_by_those_of_a_loop(
    home: Path, port: int, label_studio: Server, browser: Browser, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    with started(home, port=port) as server, window(browser, width=1280, height=900) as page:
        log_in(page, server.url, server.key)
        submit_round(page, seen)
        people_label(browser, label_studio, queue_of(page), seen)
        expect(page.locator("#live .state.appended")).to_be_visible(timeout=COMPUTED_MS)
        expect(page.get_by_text("Hard negatives")).to_be_visible()
        pictured(page, seen / "appended")
        appended = page.url
        schedule_loop(page)
        scheduled = page.url
        page.goto(appended)
        look_through_the_gallery(page)
        send_more_like_them(page, label_studio)
        page.goto(scheduled)
        see_it_run_and_cancel_it(page, label_studio, seen)
        cookies = page.context.cookies()
        for width, scheme in LOOKS:
            with window(browser, width=width, height=844, scheme=scheme, cookies=cookies) as other:
                visit_all(other, server.url)


def submit_round(page: Page, seen: Path) -> None:
    """Fill in the form, and wait until the round's tasks are with people."""
    page.get_by_role("link", name="New round", exact=True).click()
    fill(page, WITH_PEOPLE)
    page.get_by_role("button", name="Estimate").click()
    expect(page.get_by_text("60 frames of 12 sessions")).to_be_visible()
    page.get_by_role("button", name="Submit round").click()
    expect(page.locator("#live .state.waiting")).to_be_visible(timeout=COMPUTED_MS)
    expect(page).to_have_url(re.compile("/rounds/rnd_"))
    expect(page.locator("#live")).to_contain_text(f"{FRAMES} of {FRAMES} labels are still out")
    pictured(page, seen / "waiting")


def queue_of(page: Page) -> str:
    """The queue of the round or loop that a page shows."""
    return str(page.locator("dt", has_text="Queue").locator("xpath=following-sibling::dd").get_attribute("title"))


def people_label(browser: Browser, label_studio: Server, queue: str, seen: Path) -> None:
    """Label a round's tasks: the best ranked as a person does, the others as that person's browser would."""
    first, second, third, *others = sorted(label_studio.tasks(queue), key=lambda task: task["data"]["rank"])
    assert len(others) == FRAMES - 3
    with window(browser, width=1280, height=900, ours=False) as page:
        submit_what_is_proposed(page, label_studio, first, seen)
    drawn = box_region(Box("person", 0, 0, 50, 50), width=100, height=100)
    label_studio.annotate(second["id"], [drawn])
    label_studio.annotate(third["id"], [REJECTED])
    for task in others:
        label_studio.annotate(task["id"], [])


def submit_what_is_proposed(page: Page, label_studio: Server, task: dict[str, Any], seen: Path) -> None:
    """Come in to Label Studio, see a task with its two pictures, and submit it as the ensemble proposes."""
    page.goto(f"{label_studio.url}/user/login/")
    page.locator("input[name=email]").fill(USER)
    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "login" not in url)
    page.goto(f"{label_studio.url}/projects/{task['project']}/data?task={task['id']}")
    page.wait_for_function(BOTH_PICTURES)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=seen / "task.png")
    with page.expect_response(lambda it: it.request.method == "POST" and ANSWERED.search(it.url)) as submitted:
        page.get_by_role("button", name="Submit current annotation").click()
    assert submitted.value.ok


def schedule_loop(page: Page) -> None:
    """Fill in the form of a loop."""
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Loops").click()
    page.get_by_role("link", name="New loop").first.click()
    fill(page, {**WITH_PEOPLE, **NIGHTLY})
    looked_at(page)
    page.get_by_role("button", name="Make loop").click()
    expect(page.locator("#loop .state.active")).to_be_visible()


def see_it_run_and_cancel_it(page: Page, label_studio: Server, seen: Path) -> None:
    """Wait for its first round to be with people, pause the loop, and cancel it."""
    row = page.locator("#loop tbody tr")
    expect(row).to_contain_text("on its way", timeout=COMPUTED_MS)
    loop = page.url
    row.get_by_role("link").click()
    expect(page.locator("#live .state.waiting")).to_be_visible(timeout=COMPUTED_MS)
    queue = queue_of(page)
    assert len(waiting(label_studio, queue)) == FRAMES
    page.goto(loop)
    pictured(page, seen / "loop")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#loop .state.paused")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#loop .state.cancelled")).to_be_visible()
    expect(row).to_contain_text("cancelled")
    until(lambda: waiting(label_studio, queue) == [])
    pictured(page, seen / "cancelled")


def waiting(label_studio: Server, queue: str) -> list[int]:
    """The tasks of a queue that nobody has answered."""
    return [task["id"] for task in label_studio.tasks(queue) if not task["annotations"]]


def look_through_the_gallery(page: Page) -> None:
    """Switch the disagreement from class to class, and off."""
    expect(page.locator("#gallery li")).to_have_count(FRAMES)
    expect(page.locator("#gallery img.heat")).to_have_count(FRAMES)
    disagreement = page.get_by_role("navigation", name="Disagreement")
    disagreement.get_by_role("link", name="car").click()
    expect(page).to_have_url(re.compile("overlay=car"))
    expect(page.locator("#gallery img.heat[src*='class=car']")).to_have_count(FRAMES)
    require_drawn(page)
    disagreement.get_by_role("link", name="off").click()
    expect(page.locator("#gallery img.heat")).to_have_count(0)
    looked_at(page)


def send_more_like_them(page: Page, label_studio: Server) -> None:
    """Ask for frames like a pick, vote on what comes, and send what is alike to a queue of the same people."""
    page.locator("#gallery li").first.get_by_role("link", name="more like this").click()
    page.locator("fieldset.vote").nth(1).get_by_label("like", exact=True).check()
    page.locator("fieldset.vote").nth(2).get_by_label("unlike").check()
    page.get_by_role("button", name="Search again").first.click()
    expect(page.locator("li.like")).to_have_count(2)
    expect(page.locator("li.unlike")).to_have_count(1)
    page.get_by_label("Queue").fill("alike")
    page.get_by_role("button", name="Send what is marked alike").click()
    expect(page.locator("#live .state.waiting")).to_be_visible(timeout=COMPUTED_MS)
    for task in label_studio.tasks(queue_of(page)):
        label_studio.annotate(task["id"], [])
    expect(page.locator("#live .state.appended")).to_be_visible(timeout=COMPUTED_MS)
    expect(page.get_by_text("alike, label-studio")).to_be_visible()
