import json
import re
from collections import Counter
from dataclasses import replace
from html import escape
from xml.etree import ElementTree

import numpy as np
import pytest

from al_platform.experiments.report import write_report
from al_platform.experiments.report.figures import spread
from al_platform.experiments.report.gallery import pictures_of
from al_platform.experiments.report.palette import LOOKS, looks_of
from tests.al_platform.experiments.synthetic import curve_points, gallery, realistic, result_of

FRAMES = [100, 200, 300]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = write_report(realistic(seeds=3), tmp_path_factory.mktemp("reports") / "night" / "drives")
    return path.read_text(encoding="utf-8"), json.loads((path.parent / "summary.json").read_text(encoding="utf-8"))


def small(**changes):
    points = []
    for seed in range(2):
        points += curve_points("mixdist", seed=seed, values=[0.1, 0.3, 0.4 + seed / 100], frames=FRAMES)
        points += curve_points("random", seed=seed, values=[0.1, 0.2, 0.3], frames=FRAMES)
    return result_of(points, **changes)


def page_of(result, folder):
    return write_report(result, folder).read_text(encoding="utf-8")


def test_page_and_summary_say_the_same(written):
    page, found = written
    assert escape(found["headline"]["sentence"], quote=False) in page
    assert all(detail in page for detail in found["headline"]["details"])
    for row in found["comparisons"]:
        assert f"{row['difference']['mean']:+.3f} ± {row['half_width']:.3f}".replace("-", "−") in page


def test_the_page_needs_nothing_else(written):
    page, _ = written
    assert set(re.findall(r'src="([^:"]*):', page)) == {"data"}
    assert not re.search(r"<script|<link|@import|url\((?!#)", page)
    outside = set(re.findall(r'https?://[^"\s<]*', page))
    assert outside <= {"http://www.w3.org/1999/xlink", "http://www.w3.org/2000/svg"}


def test_the_sections_come_in_order(written):
    page, _ = written
    sections = re.findall(r'<section id="(\w+)"', page)
    assert sections == [
        "setting",
        "curves",
        "saving",
        "gain",
        "baselines",
        "selections",
        "gallery",
        "time",
        "reading",
    ]


def test_figures_are_well_formed_with_ids_of_their_own_and_colours_of_the_page(written):
    page, _ = written
    figures = re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL)
    assert len(figures) == 9 + 5 + 1
    for figure in figures:
        assert ElementTree.fromstring(figure).attrib["aria-label"]
    ids = Counter(re.findall(r'\bid="([^"]+)"', page))
    assert [name for name, times in ids.items() if times > 1] == []
    assert "var(--blue)" in figures[0]
    assert not re.search(r"#0067a5|#14181d", "".join(figures))


def test_the_same_result_gives_the_same_page(tmp_path):
    assert page_of(small(), tmp_path) == page_of(small(), tmp_path)


def test_names_from_data_cannot_become_markup(tmp_path):
    evil = "<script>alert('&')</script>$x$"
    result = realistic(seeds=2, arms=("mixdist", "random"))
    rename = {"pedestrian": evil, "bicyclist": "bicyclist"}
    points = tuple(
        replace(
            p,
            arm=evil if p.arm == "mixdist" else p.arm,
            average_precision={rename[k]: v for k, v in p.average_precision.items()},
            objects={rename[k]: v for k, v in p.objects.items()},
        )
        for p in result.points
    )
    model = replace(result.spec.model, classes=(evil, "bicyclist"))
    changed = replace(
        result,
        points=points,
        experiment_id=evil,
        environment={evil: evil},
        spec=replace(result.spec, name=evil, model=model, targets=model.classes, pool_filter=evil),
        gallery=tuple(replace(p, frame_id=evil, session_id=evil, for_class=evil, arm=evil) for p in result.gallery),
    )
    page = page_of(changed, tmp_path)
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def stripped(result, **changes):
    return replace(result, points=tuple(replace(p, **changes) for p in result.points))


DEGENERATE = {
    "nothing": lambda: result_of([]),
    "one seed": lambda: result_of([p for p in small().points if p.seed == 0]),
    "one arm": lambda: result_of([p for p in small().points if p.arm == "mixdist"]),
    "reference model only": lambda: result_of([p for p in small().points if p.round_index == 0]),
    "no random": lambda: realistic(seeds=2, arms=("mixdist", "manual"), pictures=False),
    "no baseline": lambda: result_of([replace(p, arm={"random": "mi"}.get(p.arm, p.arm)) for p in small().points]),
    "no test class": lambda: stripped(small(), average_precision={}),
    "no cells": lambda: stripped(small(), positive_cells={}, objects={}),
    "not a number": lambda: stripped(small(), average_precision={"living": float("nan")}),
    "unknown target": lambda: result_of(list(stripped(small(), average_precision={"car": 0.5}).points)),
    "many arms": lambda: result_of(
        [replace(p, arm=f"strategy {i} with a long name") for i in range(12) for p in small().points[:3]]
    ),
}


@pytest.mark.parametrize("name", DEGENERATE)
def test_a_report_is_written_whatever_is_missing(name, tmp_path):
    page = page_of(DEGENERATE[name](), tmp_path)
    found = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert found["headline"]["sentence"] in page
    assert all(escape(note, quote=False) in page for note in found["notes"])
    assert found["notes"]
    assert not re.search(
        r"\bnan\b|\bNone\b|\binf\b", re.sub(r"<style.*?</style>|data:[^\"]*", "", page, flags=re.DOTALL)
    )


def test_a_picture_that_cannot_be_decoded_is_said_to_be_missing(tmp_path):
    broken = replace(gallery(("mixdist",))[0], image=b"not a picture", heatmap=())
    page = page_of(small(gallery=(broken,)), tmp_path)
    assert "cannot be decoded" in page


def test_pictures_lie_in_the_order_of_rank_and_show_disagreement_where_it_is_high():
    picked = gallery(("mixdist", "random", "manual"))
    pictures = pictures_of(tuple(reversed(picked)))
    assert [p.rank for p in pictures] == [0, 1, 2, 3] * 3
    assert pictures_of(picked)[0].mean_nats == pytest.approx(np.mean(picked[0].heatmap))
    assert {p.image[:23] for p in pictures} == {"data:image/jpeg;base64,"}


def test_a_strategy_keeps_its_colour_in_every_company():
    assert looks_of(("mixdist", "random"))["random"] == looks_of(("entropy", "random", "new"))["random"]
    looks = looks_of(("mixdist", "mixdist cap 2", "new", "random"))
    assert len(set(looks.values())) == 4
    assert len(looks_of(tuple(f"arm{i}" for i in range(20)))) == 20
    assert len({look.light for look in LOOKS}) == len({look.key for look in LOOKS}) == len(LOOKS)


def test_labels_that_would_overlap_are_moved_apart_in_their_order():
    places = spread([0.5, 0.51, 0.5, 0.99], gap=0.06)
    ordered = sorted(places)
    assert min(np.diff(ordered)) >= 0.059
    assert places[1] > max(places[0], places[2])
    assert max(places) <= 1.0
