"""Working ahead within bounds: what keeps all stages busy and memory constant."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")


def ahead(
    function: Callable[[Given], Made], inputs: Iterable[Given], *, executor: Executor, depth: int
) -> Iterator[Made]:
    """`map(function, inputs)` by an executor, in order, at most `depth` + 1 results begun and not yet taken.

    Raises: what the function raised, at its place in the order; what was begun after it is cancelled.
    """
    begun: deque[Future[Made]] = deque()
    try:
        for item in inputs:
            begun.append(executor.submit(function, item))
            if len(begun) > depth:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    finally:
        for future in begun:
            future.cancel()
