# One command each. Every target sets up what it needs: a virtual environment in .venv from requirements.lock.
#   make test PYTHON=python3.12    with another interpreter

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
LOCKED := $(VENV)/.locked-$(VERSION)
READY := $(VENV)/.ready-$(VERSION)
PYTEST := $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help setup pull demo dev test check bench format lock clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(LOCKED): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit("Sostenuto needs Python 3.11 or newer, not %d.%d: make PYTHON=python3.x" % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --no-compile --no-deps --require-hashes -r requirements.lock
	@# pip compiles on one core. A few packages carry files that are not meant to be compiled.
	@$(BIN)/python -m compileall -q -j 0 $(VENV)/lib >/dev/null 2>&1 || true
	@touch $@

$(READY): $(LOCKED) pyproject.toml
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

setup: $(READY)  ## Make the virtual environment
pull: setup  ## Fetch the local model, once
	$(BIN)/sostenuto pull

demo: pull  ## Kill workers in the middle of an ingest and of an answer, then stop everything
	$(BIN)/sostenuto demo

dev: pull  ## Start the embedded stack and leave it up
	$(BIN)/sostenuto dev

# Five at a time on two cores: most of them wait most of the time. They start hundreds of processes, each of which would
# compile the package anew where the environment forbids to write what it compiled.
test: export PYTHONDONTWRITEBYTECODE =
test: pull  ## Run every test
	$(PYTEST) --numprocesses 5

# Never writes: caches go into the virtual environment or nowhere.
check: export PYTHONDONTWRITEBYTECODE = 1
check: setup  ## Check format, lint, types, imports, lock, compose file and links
	$(BIN)/ruff format --no-cache --check .
	$(BIN)/ruff check --no-cache .
	$(BIN)/mypy --cache-dir $(VENV)/.mypy
	$(BIN)/lint-imports --no-cache
	$(PYTEST) --quiet tests/architecture

bench: pull  ## Print the benchmark figures
	$(BIN)/python -m benchmarks.turns
	$(BIN)/python -m benchmarks.chain
	$(BIN)/python -m benchmarks.budgets
	$(BIN)/python -m benchmarks.ledgers
	$(BIN)/python -m benchmarks.takeover
	$(BIN)/python -m benchmarks.mcp
	$(BIN)/python -m benchmarks.live
	$(BIN)/python -m benchmarks.chats
	$(BIN)/python -m benchmarks.memory
	$(BIN)/python -m benchmarks.telemetry
	$(BIN)/python -m benchmarks.retrieval
	$(BIN)/python -m benchmarks.knowledge
	$(BIN)/python -m benchmarks.attribution
	$(BIN)/python -m benchmarks.memory_dialogues
	$(BIN)/python -m benchmarks.guardrails
	$(BIN)/python -m benchmarks.guarded

format: setup  ## Format the code and sort its imports
	$(BIN)/ruff check --fix-only --exit-zero .
	$(BIN)/ruff format .

LOCK := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-header --no-annotate --quiet --no-emit-package valkey
lock: setup  ## Pin the newest allowed releases in requirements.lock and deploy/worker.lock
	$(BIN)/python -m pip install --quiet uv
	$(LOCK) --extra local --group dev --upgrade --output-file requirements.lock
	$(LOCK) --extra worker --extra knowledge --extra guardrails --extra telemetry --constraint requirements.lock --upgrade --output-file deploy/worker.lock

clean:  ## Remove what was made, the state in .sostenuto included
	rm -rf $(VENV) .sostenuto .mypy_cache .ruff_cache .import_linter_cache build dist
