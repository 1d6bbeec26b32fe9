"""From several answers to one label, and what is known of those who gave them."""

import pytest

from al_platform.domain.labels import Answer, Box
from al_platform.errors import InvalidInput
from al_platform.labeling.annotators import annotator_statistics, label_seconds
from al_platform.labeling.consensus import ReviewPolicy, settle

LEFT, RIGHT = Box("person", 0, 0, 8, 8), Box("person", 20, 0, 28, 8)
PAIR = ReviewPolicy(answers=2)


def answer(annotator: str, *boxes: Box, at: int = 0, task: str = "tsk_1", **more: object) -> Answer:
    return Answer(task, f"{annotator}{at}", annotator, f"2026-01-01T00:00:0{at}.000000Z", boxes, **more)  # type: ignore[arg-type]


def test_one_answer_is_enough_where_one_is_asked_for() -> None:
    assert settle([answer("ann", LEFT)], ReviewPolicy()).answer == answer("ann", LEFT)


def test_the_newest_answer_stands_where_one_is_asked_for() -> None:
    assert settle([answer("bob", RIGHT, at=2), answer("ann", LEFT, at=1)], ReviewPolicy()).answer == answer(
        "bob", RIGHT, at=2
    )


def test_nothing_there_is_an_answer() -> None:
    assert settle([answer("ann")], ReviewPolicy()).answer == answer("ann")


def test_a_task_waits_until_enough_people_answered() -> None:
    assert settle([answer("ann", LEFT)], PAIR).waits == "1 of 2 answers are in"


def test_one_person_is_counted_once() -> None:
    assert settle([answer("ann", LEFT, at=1), answer("ann", LEFT, at=2)], PAIR).waits == "1 of 2 answers are in"


def test_an_answer_that_cannot_be_used_is_not_counted_and_its_problem_is_told() -> None:
    verdict = settle([answer("ann", problem="region 1: tram"), answer("bob", LEFT)], PAIR)
    assert verdict.waits == "1 of 2 answers are in; ann: region 1: tram"
    assert settle([answer("ann", problem="region 1: tram")], ReviewPolicy()).waits == "ann: region 1: tram"


def test_of_answers_that_agree_the_one_closest_to_all_stands() -> None:
    answers = [answer("ann", LEFT), answer("bob", LEFT, RIGHT), answer("cid", LEFT)]
    stands = settle(answers, ReviewPolicy(answers=3)).answer
    assert stands is not None
    assert stands.boxes == (LEFT,)


def test_a_disagreement_waits_for_a_reviewer_whose_answer_stands() -> None:
    answers = [answer("ann", LEFT), answer("bob", RIGHT)]
    assert settle(answers, PAIR).waits == "annotators agree by 0.00 < 0.6; a reviewer has to decide"
    review = answer("eve", LEFT, RIGHT, at=3, decisive=True)
    assert settle([*answers, review], PAIR).answer == review


def test_all_rejections_reject_and_some_wait_for_a_reviewer() -> None:
    rejected = [answer("ann", rejected="blurred"), answer("bob", rejected="privacy", at=1)]
    assert settle(rejected, PAIR).answer == rejected[1]
    assert "rejected by some" in settle([rejected[0], answer("bob", LEFT)], PAIR).waits


@pytest.mark.parametrize("policy", [{"answers": 0}, {"agreement": 0.0}, {"same_from": 1.5}])
def test_a_policy_that_cannot_be_met_is_refused(policy: dict[str, float]) -> None:
    with pytest.raises(InvalidInput):
        ReviewPolicy(**policy)  # type: ignore[arg-type]


def test_statistics_compare_people_with_each_other_and_with_reviewers() -> None:
    answers = [
        answer("ann", LEFT, seconds=10.0),
        answer("bob", RIGHT, seconds=30.0),
        answer("eve", LEFT, at=3, decisive=True),
        answer("ann", rejected="blurred", task="tsk_2", seconds=2.0),
        answer("bob", problem="region 1: tram", task="tsk_2"),
    ]
    ann, bob, eve = annotator_statistics(answers)
    assert (ann.answers, ann.rejected, ann.unusable, ann.seconds, ann.median_seconds) == (2, 1, 0, 12.0, 6.0)
    assert (ann.agreement, ann.gold_agreement) == (0.5, 1.0)
    assert (bob.unusable, bob.agreement, bob.gold_agreement) == (1, 0.0, 0.0)
    assert (eve.median_seconds, eve.gold_agreement) == (None, None)
    assert label_seconds(answers) == 42.0


def test_a_known_truth_goes_before_a_reviewer() -> None:
    answers = [answer("ann", LEFT), answer("eve", LEFT, decisive=True)]
    (ann, _) = annotator_statistics(answers, gold={"tsk_1": [RIGHT]})
    assert ann.gold_agreement == 0.0
