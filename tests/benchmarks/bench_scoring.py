"""The scoring pipeline on real frames, against its slowest stage alone: cold, and with the records cached.

    ALP_REAL_DATA=FOLDER python tests/benchmarks/bench_scoring.py

FOLDER holds a manifest.csv as the `masks` adapter reads it. The default ensemble (8 heads on 128 components) scores all
frames; it is untrained, which costs the same. Best of REPEATS runs. A stage alone has all its threads and nothing else runs.
"""

import datetime
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import jax
import numpy as np

from al_platform.datasets.adapters import adapter_named
from al_platform.datasets.base import AdapterRequest
from al_platform.domain.progress import silent
from al_platform.models.batches import pad_frames
from al_platform.models.families import family_named, model_spec
from al_platform.models.records import ContentRecords, frame_reader, image_batches
from al_platform.scoring.devices import Forward, batch_size, make_forward
from al_platform.scoring.measures import on_host
from al_platform.scoring.pipeline import DECODE_THREADS, READ_THREADS, measured_batches, open_pipeline
from al_platform.storage.blobs import BlobStore
from al_platform.storage.records import RecordCaches

FRAMES = 512
REPEATS = 3
SAMPLE = 128
