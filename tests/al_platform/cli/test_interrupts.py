import os
import signal

import pytest

from al_platform.cli.interrupts import stopping_softly
from al_platform.domain.progress import Progress
from al_platform.errors import Stopped


def test_after_ctrl_c_long_work_stops_at_its_next_report() -> None:
    seen: list[Progress] = []
    with stopping_softly(seen.append) as report:
        report(Progress("train", 1, 3))
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(Stopped, match="interrupted"):
            report(Progress("train", 2, 3))
    assert [progress.done for progress in seen] == [1, 2]


def test_afterwards_ctrl_c_is_what_it_was() -> None:
    before = signal.getsignal(signal.SIGINT)
    with stopping_softly(print):
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before
