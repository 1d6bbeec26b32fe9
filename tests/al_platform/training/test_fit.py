"""Training: laws of the loss, of resuming, of early stopping, of seeds and of padding."""

import math
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from al_platform.domain.progress import Progress, ReportProgress, silent
from al_platform.errors import Stopped, StorageUnavailable
from al_platform.storage.checkpoints import OrbaxCheckpoints
from al_platform.training.fit import Checkpoints, TrainState, _keep_best, binary_cross_entropy, fit_ensemble
from al_platform.training.frames import UNKNOWN, LabeledFrames
from tests.al_platform.training.linear import LINEAR, SPEC, labelled


@dataclass
class Remembered:
    """Checkpoints in memory: every state that was offered, and the one to begin with."""

    begin_with: TrainState | None = None
    states: list[TrainState] = field(default_factory=list)

    def restore(self, like: TrainState) -> TrainState | None:
        return self.begin_with

    def save(self, state: TrainState, *, last: bool, stopping: bool = False) -> None:
        self.states.append(jax.tree.map(jnp.copy, state))


def train(frames: LabeledFrames, *, seed: int = 0, checkpoints: Checkpoints | None = None) -> TrainState:
    return fit_ensemble(LINEAR, SPEC, frames, seed=seed, checkpoints=checkpoints or Remembered(), report=silent)


def leaves(tree: Any) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        yield jax.tree_util.keystr(path), np.asarray(leaf)


def assert_same(one: Any, other: Any) -> None:
    for (path, left), (_, right) in zip(leaves(one), leaves(other), strict=True):
        np.testing.assert_array_equal(left, right, err_msg=path, strict=True)


def members_of(tree: Any, members: slice) -> Any:
    return jax.tree.map(lambda leaf: leaf[members], tree)


def validation_loss(state: TrainState, frames: LabeledFrames, member: int) -> float:
    """Cross-entropy on the member's fold, a slow float64 twin."""
    mine = frames.folds == member % SPEC.training.validation_folds
    weights = np.asarray(state.parameters["weights"][member], np.float64)
    bias = np.asarray(state.parameters["bias"][member], np.float64)
    losses = []
    for inputs, presence in zip(frames.inputs[mine], frames.presence[mine], strict=True):
        for (k, row, column), outcome in np.ndenumerate(presence):
            if outcome != UNKNOWN:
                logit = float(inputs[row, column].astype(np.float64) @ weights[:, k] + bias[k])
                losses.append(math.log1p(math.exp(-abs(logit))) + max(logit, 0.0) - outcome * logit)
    return float(np.mean(losses))


def test_the_loss_falls_far_below_that_of_a_guess() -> None:
    state = train(labelled(40))
    assert int(state.step) == SPEC.training.steps
    assert (np.asarray(state.best_loss) < 0.4 * math.log(2.0)).all()


def test_every_member_keeps_the_step_at_which_its_own_validation_loss_was_lowest() -> None:
    frames, kept = labelled(24, noise=0.35), Remembered()
    state = train(frames, checkpoints=kept)
    assert [int(each.step) for each in kept.states] == [10, 20, 30, 40, 50, 60]
    for member in range(SPEC.members):
        losses = [validation_loss(each, frames, member) for each in kept.states]
        best = int(np.argmin(losses))
        assert float(state.best_loss[member]) == pytest.approx(losses[best], rel=1e-5)
        assert int(state.best_step[member]) == int(kept.states[best].step)
        one = slice(member, member + 1)
        assert_same(members_of(state.best_parameters, one), members_of(kept.states[best].parameters, one))
    assert (np.asarray(state.best_step) < SPEC.training.steps).any()


def test_what_lies_under_unknown_cells_changes_no_weight() -> None:
    frames = labelled(24)
    unknown = (frames.presence == UNKNOWN).all(axis=1)
    unknown[3] = True
    presence = np.where(unknown[:, None], UNKNOWN, frames.presence).astype(np.uint8)
    other = np.where(unknown[..., None], 100.0, frames.inputs).astype(np.float32)
    assert (other != frames.inputs).any()
    known = replace(frames, presence=presence)
    assert_same(train(known), train(replace(known, inputs=other)))


def test_a_member_never_learns_from_the_fold_that_stops_it() -> None:
    frames = labelled(24)
    flipped = np.where(frames.presence == UNKNOWN, UNKNOWN, 1 - frames.presence).astype(np.uint8)
    mine = (frames.folds == 0)[:, None, None, None]
    other = replace(frames, presence=np.where(mine, flipped, frames.presence))
    one, two = train(frames), train(other)
    first, rest = slice(0, 1), slice(1, None)
    assert_same(members_of(one.parameters, first), members_of(two.parameters, first))
    assert float(one.best_loss[0]) < float(two.best_loss[0])
    assert (np.asarray(one.parameters["weights"][rest]) != np.asarray(two.parameters["weights"][rest])).all()


def test_equal_seeds_give_equal_weights_and_other_seeds_others() -> None:
    frames = labelled(24)
    assert_same(train(frames, seed=5), train(frames, seed=5))
    one, other = (np.asarray(train(frames, seed=seed).parameters["weights"]) for seed in (5, 6))
    assert (one != other).all()
    assert (one[0] != one[1]).all()


def test_a_training_that_goes_on_from_any_chunk_ends_bit_for_bit_the_same() -> None:
    frames, kept = labelled(24), Remembered()
    whole = train(frames, checkpoints=kept)
    for state in kept.states[:-1]:
        assert_same(train(frames, checkpoints=Remembered(jax.tree.map(jnp.copy, state))), whole)


def interrupt_at(step: int) -> ReportProgress:
    def report(progress: Progress) -> None:
        if progress.done == step:
            raise KeyboardInterrupt

    return report


def test_a_training_interrupted_and_resumed_from_disk_ends_bit_for_bit_the_same(tmp_path: Path) -> None:
    frames, folder = labelled(24), tmp_path / "run"
    kept = OrbaxCheckpoints(folder, every_s=0.0)
    with pytest.raises(KeyboardInterrupt):
        fit_ensemble(LINEAR, SPEC, frames, seed=0, checkpoints=kept, report=interrupt_at(20))
    seen: list[Progress] = []
    again = OrbaxCheckpoints(folder, every_s=3600.0)
    resumed = fit_ensemble(LINEAR, SPEC, frames, seed=0, checkpoints=again, report=seen.append)
    assert seen[0][:3] == ("train", 20, SPEC.training.steps)
    assert_same(resumed, train(frames))
    again.clear()
    assert not folder.exists()
    assert again.restore(resumed) is None


def test_a_training_that_is_told_to_stop_keeps_its_state_first_and_ends_bit_for_bit_the_same(tmp_path: Path) -> None:
    frames, seldom, seen = labelled(24), OrbaxCheckpoints(tmp_path / "run", every_s=3600.0), list[Progress]()

    def stop(progress: Progress) -> None:
        if progress.done == 20:
            raise Stopped("enough")

    with pytest.raises(Stopped):
        fit_ensemble(LINEAR, SPEC, frames, seed=0, checkpoints=seldom, report=stop)
    again = OrbaxCheckpoints(tmp_path / "run", every_s=3600.0)
    resumed = fit_ensemble(LINEAR, SPEC, frames, seed=0, checkpoints=again, report=seen.append)
    assert seen[0][:3] == ("train", 20, SPEC.training.steps)
    assert_same(resumed, train(frames))


def test_stopped_where_its_state_is_kept_already_it_is_not_kept_again(tmp_path: Path) -> None:
    often = OrbaxCheckpoints(tmp_path / "run", every_s=0.0)

    def stop(progress: Progress) -> None:
        if progress.done == 20:
            raise Stopped("enough")

    for _ in range(2):  # the second time nothing was done since it was restored
        with pytest.raises(Stopped):
            fit_ensemble(LINEAR, SPEC, labelled(24), seed=0, checkpoints=often, report=stop)


TRAIN_ALOUD = """
import sys
from pathlib import Path
from al_platform.storage.checkpoints import OrbaxCheckpoints
from al_platform.training.fit import fit_ensemble
from tests.al_platform.training.linear import LINEAR, SPEC, labelled
kept = OrbaxCheckpoints(Path(sys.argv[1]), every_s=0.0)
fit_ensemble(LINEAR, SPEC, labelled(24), seed=0, checkpoints=kept, report=lambda progress: print(progress, flush=True))
"""


def test_a_training_killed_while_it_saves_and_resumed_ends_bit_for_bit_the_same(tmp_path: Path) -> None:
    folder, seen = tmp_path / "run", list[Progress]()
    command = [sys.executable, "-c", TRAIN_ALOUD, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for _ in range(3):
            process.stdout.readline()
        process.kill()
    assert process.returncode == -signal.SIGKILL
    kept = OrbaxCheckpoints(folder, every_s=3600.0)
    resumed = fit_ensemble(LINEAR, SPEC, labelled(24), seed=0, checkpoints=kept, report=seen.append)
    assert seen[0].done >= 20
    assert_same(resumed, train(labelled(24)))


def test_a_checkpoint_is_kept_only_when_the_last_is_old_enough_and_never_of_the_end(tmp_path: Path) -> None:
    train(labelled(24), checkpoints=OrbaxCheckpoints(tmp_path / "seldom", every_s=3600.0))
    assert not (tmp_path / "seldom").exists()
    state = train(labelled(24))
    OrbaxCheckpoints(tmp_path / "end", every_s=0.0).save(state, last=True)
    assert not (tmp_path / "end").exists()


def test_checkpoints_that_cannot_be_written_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageUnavailable, match=r"checkpoints .*file/run: .*Not a directory"):
        train(labelled(24), checkpoints=OrbaxCheckpoints(tmp_path / "file" / "run", every_s=0.0))


RESUME_ALOUD = """
import sys
from pathlib import Path
import jax
from al_platform.domain.progress import silent
from al_platform.errors import CorruptBlob
from al_platform.storage.checkpoints import OrbaxCheckpoints
from al_platform.training.fit import fit_ensemble
from tests.al_platform.training.linear import LINEAR, SPEC, labelled
for folder in sys.argv[1:]:
    kept = OrbaxCheckpoints(Path(folder), every_s=3600.0)
    try:
        state = fit_ensemble(LINEAR, SPEC, labelled(24), seed=0, checkpoints=kept, report=silent)
    except CorruptBlob as error:
        print(error)
    else:
        print(float(sum(abs(leaf).sum() for leaf in jax.tree.leaves(state.parameters))))
"""


def test_a_checkpoint_with_any_file_damaged_is_named_or_goes_on_bit_for_bit_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        kept = OrbaxCheckpoints(folder, every_s=0.0)
        fit_ensemble(LINEAR, SPEC, labelled(24), seed=0, checkpoints=kept, report=interrupt_at(20))
    copies = [str(folder)]
    for number, path in enumerate(path for path in sorted(folder.rglob("*")) if path.is_file()):
        copies.append(str(shutil.copytree(folder, tmp_path / str(number))))
        (tmp_path / str(number) / path.relative_to(folder)).write_bytes(b"damaged")
    # in a process of its own: orbax leaves readers behind when one fails
    said = subprocess.run([sys.executable, "-c", RESUME_ALOUD, *copies], check=True, capture_output=True, text=True)
    sound, *damaged = said.stdout.splitlines()
    assert len(damaged) == len(copies) - 1
    named = [line for line in damaged if line != sound]
    assert len(named) >= 2
    for line in named:
        assert re.search(r"^checkpoints .*Delete the folder: the training starts anew$", line)


def test_how_far_the_rows_are_padded_changes_no_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = labelled(24)
    usual = train(frames)
    monkeypatch.setattr("al_platform.training.sampling._ROW_BUCKET", 320)
    wider = train(frames)
    assert_same(usual.parameters, wider.parameters)
    np.testing.assert_allclose(usual.best_loss, wider.best_loss, rtol=1e-6)


def test_members_trained_one_after_the_other_are_those_trained_together() -> None:
    one_by_one = replace(LINEAR, members_apart=True)
    apart = fit_ensemble(one_by_one, SPEC, labelled(24), seed=0, checkpoints=Remembered(), report=silent)
    for (_, left), (path, right) in zip(leaves(apart), leaves(train(labelled(24))), strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-3, atol=1e-5, err_msg=path)


def test_padding_is_neutral_in_the_loss() -> None:
    frames = labelled(5)
    padding = (3, *frames.presence.shape[1:])
    logits = np.random.default_rng(0).normal(size=frames.presence.shape).astype(np.float32)
    alone = float(binary_cross_entropy(jnp.asarray(logits), jnp.asarray(frames.presence), jnp.ones(5)))
    longer = jnp.asarray(np.concatenate([logits, np.full(padding, 50.0, np.float32)]))
    for fill, weight in ((UNKNOWN, 1.0), (1, 0.0)):
        presence = jnp.asarray(np.concatenate([frames.presence, np.full(padding, fill, np.uint8)]))
        weights = jnp.asarray([1.0] * 5 + [weight] * 3)
        assert float(binary_cross_entropy(longer, presence, weights)) == pytest.approx(alone, rel=1e-6)


def test_a_batch_of_which_nothing_is_known_costs_nothing() -> None:
    presence = jnp.full((2, 1, 2, 2), UNKNOWN, jnp.uint8)
    assert float(binary_cross_entropy(jnp.ones(presence.shape), presence, jnp.ones(2))) == 0.0


def test_a_single_frame_trains_the_members_that_may_see_it() -> None:
    frames = labelled(1)
    state = train(frames)
    assert np.isfinite(np.asarray(state.parameters["weights"])).all()
    np.testing.assert_array_equal(np.isinf(np.asarray(state.best_loss)), [False, True, True])
    np.testing.assert_array_equal(np.asarray(state.best_step)[1:], SPEC.training.steps)
    assert_same(members_of(state.best_parameters, slice(1, None)), members_of(state.parameters, slice(1, None)))


def test_a_loss_that_overflows_does_not_displace_a_finite_one() -> None:
    best, now = {"w": jnp.zeros(4)}, {"w": jnp.ones(4)}
    state = TrainState(now, (), best, jnp.array([0.5, 0.5, jnp.inf, jnp.inf]), jnp.zeros(4, int), jnp.array(10))
    kept = _keep_best(state, jnp.array([jnp.inf, jnp.nan, jnp.inf, 0.5]))
    np.testing.assert_array_equal(kept.best_parameters["w"], [0.0, 0.0, 1.0, 1.0])
    np.testing.assert_array_equal(kept.best_step, [0, 0, 10, 10])
    np.testing.assert_array_equal(kept.best_loss, [0.5, 0.5, np.inf, 0.5])
