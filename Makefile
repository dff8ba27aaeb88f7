# tiku: every command of the project. `make help` lists them.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
OUT ?= demo-out
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := item_formats calibration engine authoring
CODE := $(PACKAGES) tests benchmarks examples

# The same text, time and arithmetic on every machine.
export LC_ALL := C.UTF-8
export TZ := UTC
export PYTHONUTF8 := 1
export OPENBLAS_NUM_THREADS := 1
export OMP_NUM_THREADS := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help demo serve test test-all check format types imports wheel bench lock clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

demo: $(VENV)/run.stamp ## the whole loop on the sample bank, into demo-out/
	$(BIN)/tiku demo --out $(OUT)

serve: $(VENV)/run.stamp ## the API on the demo's bank (http://127.0.0.1:8000)
	@test -f $(OUT)/bank.db || { echo "there is no bank in $(OUT) yet: run make demo first"; exit 1; }
	$(BIN)/tiku serve --database $(OUT)/bank.db

test: check ## everything from nothing: lint, types, imports, tests, the demo from the built wheel
	$(BIN)/python -m pytest -n auto
	$(MAKE) wheel

test-all: $(VENV)/dev.stamp ## the tests with the long statistical ones
	$(BIN)/python -m pytest -n auto -m "slow or not slow"

check: $(VENV)/dev.stamp ## lint, format, types, import contracts
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/dev.stamp ## write the code as ruff formats it
	$(BIN)/ruff check --fix $(CODE)
	$(BIN)/ruff format $(CODE)

wheel: $(VENV)/dev.stamp ## build the wheel and run the demo from it, outside the checkout
	PYTHON=$(PYTHON) tests/demo_from_wheel.sh

bench: $(VENV)/dev.stamp ## timings, printed beside peers
	$(BIN)/python -m benchmarks

lock: $(VENV)/dev.stamp ## resolve the dependencies anew into requirements*.lock
	$(BIN)/python -m piptools compile $(LOCK_FLAGS) --extra postgresql --extra office -o requirements.lock pyproject.toml
	$(BIN)/python -m piptools compile $(LOCK_FLAGS) -c requirements.lock -o requirements-build.lock requirements-build.in
	$(BIN)/python -m piptools compile $(LOCK_FLAGS) -c requirements.lock -c requirements-build.lock -o requirements-dev.lock requirements-dev.in
LOCK_FLAGS := --quiet --upgrade --allow-unsafe --generate-hashes --strip-extras --no-header --no-annotate --no-emit-index-url --no-emit-trusted-host --no-emit-find-links

clean: ## remove what the other commands made
	rm -rf $(VENV) demo-out dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# another PYTHON= than before makes the environment anew
$(VENV)/python-$(VERSION):
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/run.stamp: $(VENV)/python-$(VERSION) requirements.lock requirements-build.lock pyproject.toml
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock -r requirements-build.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp requirements-dev.lock
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	touch $@
