"""A home in which everything has a hostile name, and sessions of every scope."""

import io
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from PIL import Image

from al_platform.catalog.answers import add_answers
from al_platform.catalog.experiments import add_experiment
from al_platform.catalog.frames import FrameFacts, add_frames
from al_platform.domain.access import Scope
from al_platform.domain.clock import utc_now
from al_platform.domain.data import Frame
from al_platform.domain.hashing import canonical_json
from al_platform.domain.labels import Answer
from al_platform.domain.paging import PageRequest
from al_platform.domain.rounds import Round
from al_platform.experiments.report import write_report
from al_platform.platform.home import Platform, open_platform
from al_platform.platform.queues import tasks
from al_platform.platform.rounds import run_one_round
from tests.al_platform.experiments.synthetic import realistic
from tests.api.conftest import Served, serving
from tests.as_if_judged import JudgedPlaces, enter_judged
from tests.fleet import round_spec, settings_of

HOSTILE = "<img src=x onerror=alert(1)>\"'&"
"""Breaks out of elements, attributes and texts wherever it is not escaped."""

PAGES = "/dashboard"
EXPERIMENT = "exp_000000000000000000000001"


@dataclass(frozen=True)
class Seeded:
    """A server over a home with a finished round, an experiment, a hostile frame, and policies as if judged."""

    served: Served
    round: Round
    frame_id: str
    """Of the frame whose every name is hostile."""
    judged: JudgedPlaces


@contextmanager
def logged_in(served: Served, scope: Scope = Scope.OPERATOR) -> Iterator[httpx.Client]:
    """Connections of a browser that logged in with the key of a scope."""
    with httpx.Client(base_url=served.url, timeout=60.0) as browser:
        answer = browser.post(f"{PAGES}/login", data={"key": served.keys[scope]})
        assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGES}/")
        yield browser


def form_mark(browser: httpx.Client) -> str:
    """The mark that forms of this session carry."""
    texts = (browser.get(f"{PAGES}{place}").text for place in ("/", "/new-round"))
    return next(filter(None, (text.partition('name="form_mark" value="')[2].partition('"')[0] for text in texts)), "")


def post(browser: httpx.Client, place: str, fields: Mapping[str, str] | None = None) -> httpx.Response:
    """Send a form as its page would."""
    return browser.post(f"{PAGES}{place}", data={**(fields or {}), "form_mark": form_mark(browser)})


@pytest.fixture(scope="module")
def seeded(fleet_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    """One seeded server for all tests of a module that change nothing another would see."""
    home = Path(shutil.copytree(fleet_home, tmp_path_factory.mktemp("seeded") / "home"))
    with open_platform(settings_of(home)) as platform:
        round_ = run_one_round(platform, round_spec(platform, "mi", queue=HOSTILE, control_share=0.2))
        frame_id = _hostile_frame(platform)
        _hostile_answer(platform, round_.round_id)
        _experiment(platform)
        judged = enter_judged(platform, HOSTILE)
    with serving(home) as served:
        yield Seeded(served, round_, frame_id, judged)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server over a home with nothing in it."""
    with serving(tmp_path_factory.mktemp("empty") / "home") as served:
        yield served


def _hostile_frame(platform: Platform) -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (32, 24), (90, 120, 40)).save(buffer, "PNG")
    image = platform.blobs.put(buffer.getvalue(), media_type="image/png")
    frame = Frame("frm_hostile", HOSTILE, f"{HOSTILE}/1", image, 32, 24, 0, tags={HOSTILE: HOSTILE, "split": HOSTILE})
    with platform.catalog.transaction() as tx:
        add_frames(tx, [(frame, FrameFacts(100.0, 5.0, HOSTILE))])
    return frame.frame_id


def _hostile_answer(platform: Platform, round_id: str) -> None:
    first = tasks(platform, PageRequest(1), round_id=round_id).items[0]
    with platform.catalog.transaction() as tx:
        add_answers(tx, [Answer(first.task_id, "1", HOSTILE, utc_now(), seconds=12.5)])


def _experiment(platform: Platform) -> None:
    result = realistic(seeds=3, arms=("mixdist", "random"), pictures=False)
    with platform.catalog.transaction() as tx:
        add_experiment(tx, EXPERIMENT, canonical_json(result.spec), now=utc_now())
    write_report(result, platform.settings.reports_folder / EXPERIMENT)
