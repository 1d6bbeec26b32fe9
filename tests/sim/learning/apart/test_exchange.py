import threading
from collections.abc import Callable

import pytest

from sim.learning.apart.exchange import Exchange, Over

LONG_S = 60.0


def told(work: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    """Work under way in a thread, and where its result comes, or the kind of its error."""
    said: list[object] = []

    def run() -> None:
        try:
            said.append(work())
        except Over as error:
            said.append(type(error))

    thread = threading.Thread(target=run)
    thread.start()
    return thread, said


def made() -> Exchange[str]:
    return Exchange(learners=2, room=1, kept=1)


def test_whoever_waits_is_released_when_the_exchange_closes() -> None:
    exchange = made()
    exchange.deliver(0, "fills the queue")
    waits = (
        lambda: exchange.deliver(0, "finds no room"),
        exchange.collect,  # The other learner has nothing.
        lambda: exchange.newest_learned(at_least=3),
        lambda: exchange.parameters_of(7),
    )
    threads = [told(wait) for wait in waits]
    exchange.close()
    for thread, said in threads:
        thread.join(LONG_S)
        assert said == [Over]


def test_nothing_is_given_or_taken_after_the_end() -> None:
    exchange = made()
    exchange.publish(0, {})
    exchange.deliver(0, "too late")
    exchange.close()
    for late in (exchange.newest, exchange.collect, lambda: exchange.deliver(1, "")):
        with pytest.raises(Over):
            late()


def test_a_full_queue_takes_the_next_batch_when_one_is_collected() -> None:
    exchange = made()
    exchange.deliver(0, "first")
    exchange.deliver(1, "other")
    thread, said = told(lambda: exchange.deliver(0, "second"))
    assert exchange.collect() == ["first", "other"]
    thread.join(LONG_S)
    assert said == [None]
    exchange.deliver(1, "another")
    assert exchange.collect() == ["second", "another"]


def test_a_version_is_had_once_it_is_published_and_as_long_as_it_is_kept() -> None:
    exchange = made()
    exchange.publish(0, {"of": 0})
    thread, said = told(lambda: exchange.parameters_of(1))
    exchange.publish(1, {"of": 1})
    thread.join(LONG_S)
    assert said == [{"of": 1}]
    assert exchange.parameters_of(0) == {"of": 0}
    exchange.publish(2, {"of": 2})
    assert exchange.newest() == exchange.newest_learned() == (2, {"of": 2})
    exchange.publish(3, {"of": 3}, learned={"mean of": 3})
    assert exchange.newest() == (3, {"of": 3})
    assert exchange.newest_learned() == (3, {"mean of": 3})
    thread, said = told(lambda: exchange.parameters_of(0))
    exchange.close()
    thread.join(LONG_S)
    assert said == [Over]
