"""A signed address shows one picture, for a while, and nothing else."""

import re
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from al_platform.domain.paging import PageRequest
from al_platform.errors import Unauthenticated
from al_platform.platform import listing
from al_platform.platform.picture_links import PAGE_S, PictureLinks
from al_platform.platform.signing import Signer, signer_of
from tests.api.conftest import Served

OTHER = {"size": "65", "until": "99999999999", "mark": "a" * 43}


def links_of(served: Served, **changes: object) -> PictureLinks:
    return PictureLinks(signer_of(served.service.platform.settings.home), **changes)  # type: ignore[arg-type]


def some_hash(served: Served) -> str:
    (frame,) = listing.frames(served.service.platform, "", PageRequest(1)).items
    return frame.image_hash


def test_who_has_the_address_has_the_picture_without_a_key(shared: Served) -> None:
    blob = some_hash(shared)
    for longest, kind in ((0, "image/png"), (64, "image/jpeg")):
        answer = httpx.get(shared.url + links_of(shared).blob(blob, longest=longest))
        assert answer.status_code == 200
        assert answer.headers["content-type"] in (kind, "image/jpeg")
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["etag"]


def test_an_address_that_was_changed_anywhere_shows_nothing(shared: Served) -> None:
    address = links_of(shared).blob(some_hash(shared), longest=64)
    place, query = urlsplit(address).path, parse_qs(urlsplit(address).query)
    asked = {name: values[0] for name, values in query.items()}
    for name, value in OTHER.items():
        changed = httpx.get(f"{shared.url}{place}?{urlencode({**asked, name: value})}")
        assert (changed.status_code, changed.json()["code"]) == (401, "unauthenticated"), name
    other = place[:-1] + ("0" if place[-1] != "0" else "1")
    assert httpx.get(f"{shared.url}{other}?{urlencode(asked)}").status_code == 401
    assert httpx.get(f"{shared.url}{place}").status_code == 422


def test_an_address_ends_when_its_time_is_over(shared: Served) -> None:
    blob = some_hash(shared)
    past = links_of(shared, now_s=lambda: 1e9).blob(blob)
    answer = httpx.get(shared.url + past)
    assert answer.status_code == 401
    assert "has expired" in answer.json()["detail"]


def test_an_address_stays_the_same_for_a_while_and_lasts_as_long_as_was_asked() -> None:
    clock = [3600.0 * 1000]
    links = PictureLinks(Signer(b"k"), "https://alp.example", now_s=lambda: clock[0])
    first = links.blob("ab")
    until = int(parse_qs(urlsplit(first).query)["until"][0])
    clock[0] += PAGE_S - 1
    assert links.blob("ab") == first
    assert until - clock[0] >= PAGE_S
    clock[0] += 1
    assert links.blob("ab") != first
    assert first.startswith("https://alp.example/pictures/blob/ab?")


def test_the_address_of_a_task_is_the_same_whenever_it_is_written_and_good_for_that_task_alone() -> None:
    links, later = (PictureLinks(Signer(b"k"), "https://alp.example", now_s=lambda at=at: at) for at in (0.0, 1e9))
    address = urlsplit(links.of_task("tsk_1", "ab"))
    assert address.geturl() == later.of_task("tsk_1", "ab")
    assert address.geturl().startswith("https://alp.example/pictures/task/tsk_1/ab?mark=")
    (mark,) = parse_qs(address.query)["mark"]
    links.require_of_task("tsk_1", "ab", mark=mark)
    for task_id, blob in (("tsk_2", "ab"), ("tsk_1", "ac"), ("tsk_1/ab", "")):
        with pytest.raises(Unauthenticated, match="not written by this service"):
            links.require_of_task(task_id, blob, mark=mark)


def test_pictures_of_a_task_that_is_not_there_are_not_shown(shared: Served) -> None:
    answer = httpx.get(shared.url + links_of(shared).of_task("tsk_none", some_hash(shared)))
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    answer = httpx.get(f"{shared.url}/pictures/task/tsk_none/{some_hash(shared)}?mark=guess")
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


def test_addresses_of_other_keys_and_other_kinds_are_none() -> None:
    links, foreign = PictureLinks(Signer(b"k")), PictureLinks(Signer(b"l"))
    mark = re.search(r"mark=([\w-]+)", foreign.blob("ab"))
    until = re.search(r"until=(\d+)", foreign.blob("ab"))
    assert mark and until
    with pytest.raises(Unauthenticated, match="not written by this service"):
        links.require(("blob", "ab"), 0, until_s=int(until[1]), mark=mark[1])
    foreign.require(("blob", "ab"), 0, until_s=int(until[1]), mark=mark[1])
    with pytest.raises(Unauthenticated):
        foreign.require(("blob",), "ab", until_s=int(until[1]), mark=mark[1])


def test_bytes_that_are_no_picture_are_not_shown(served: Served) -> None:
    blob = served.service.platform.blobs.put(b"<script>alert(1)</script>").hash
    for longest in (0, 64):
        answer = httpx.get(served.url + links_of(served).blob(blob, longest=longest))
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input")


def test_a_heatmap_of_what_a_round_never_picked_is_not_there(shared: Served) -> None:
    answer = httpx.get(shared.url + links_of(shared).heatmap("rnd_none", "frm_none", "person"))
    assert answer.status_code == 404
