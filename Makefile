# Everything a newcomer or CI needs. Wants only Python >= 3.11 with pip, and make.

PYTHON ?= python3
DEMO_HOME ?= .alp/demo

# uv from the path, or fetched by pip into .uv
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
RUN := $(UV) run --frozen --no-sync
export UV_PYTHON ?= $(PYTHON)

.PHONY: demo test check fix bench notebooks env dev-env clean

demo: env
	$(RUN) alp --home $(DEMO_HOME) ingest synthetic --option frames=1200 --option sessions=400
	$(RUN) alp --home $(DEMO_HOME) ab --name "Virtual fleet" \
	  --pool dataset=synthetic,split=pool --test dataset=synthetic,split=test \
	  --targets person,bicycle --strategies mixdist,stratified,random --start 40 --budget 40 --rounds 4 --seeds 3

# A file stays with one worker, which compiles its programs once; what takes long begins first (tests/conftest.py).
test: dev-env
	$(RUN) pytest -n auto --dist loadfile --no-loadscope-reorder

check: dev-env
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) mypy
	$(RUN) lint-imports

fix: dev-env
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

bench: dev-env
	$(RUN) python tests/benchmarks/bench_information.py
	$(RUN) python tests/benchmarks/bench_models.py
	$(RUN) python tests/benchmarks/bench_access.py
	$(RUN) python tests/benchmarks/bench_round.py
	$(RUN) python tests/benchmarks/bench_catalog.py
	$(RUN) python tests/benchmarks/bench_scoring.py
	$(RUN) python tests/benchmarks/bench_selection.py
	$(RUN) python tests/benchmarks/bench_diversity.py
	$(RUN) python tests/benchmarks/bench_similarity.py
	$(RUN) python tests/benchmarks/bench_service.py
	$(RUN) python tests/benchmarks/bench_sim.py
	$(RUN) python tests/benchmarks/bench_camera.py
	$(RUN) python tests/benchmarks/bench_guard.py

notebooks: dev-env
	$(RUN) pytest tests/notebooks

env: $(UV)
	$(UV) sync --frozen --quiet --inexact --extra pretrained

dev-env: $(UV)
	$(UV) sync --frozen --quiet --inexact --extra pretrained --extra azure --extra service --extra ray --group dev

.uv/bin/uv:
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --target .uv uv

clean:
	rm -rf .venv .uv .azurite .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
