# `make demo` runs the main job on embedded defaults, `make test` passes the tests: nothing else has to be set up.
# Both make .venv with the standard venv module and hash-locked requirements.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check
MARK ?=
# One worker a core; a file's tests stay together, because they share brokers and browsers.
SPREAD ?= -n auto --dist loadfile

.PHONY: demo test test-wheel check bench lock clean

.venv/demo.stamp: requirements/demo.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) --require-hashes -r requirements/demo.txt
	$(PIP) --require-hashes -r requirements/build.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	touch $@

.venv/dev.stamp: requirements/dev.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) --require-hashes -r requirements/dev.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	touch $@ .venv/demo.stamp

## the main job: embedded broker, virtual line, models taught on the spot, agent, status page, report
demo: .venv/demo.stamp
	$(BIN)/edge-agent demo $(DEMO)

## every test that this machine can run; the others say what they need
test: .venv/dev.stamp
	$(BIN)/python -m pytest $(SPREAD) $(MARK) --cov --cov-report=html:.coverage-pages $(TESTS)
	$(BIN)/coverage report --format=total

## the same tests against the built wheel, outside the checkout
test-wheel: .venv/dev.stamp
	$(BIN)/python tests/run_against_wheel.py

## style, types, architecture
check: .venv/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/docs

## one question a file, answered as a ratio to a peer or a limit in the same run: one table, and a dated summary
bench: .venv/dev.stamp
	$(BIN)/python -m benchmarks $(BENCH)

## compile the locks again: hashes, no index address
LOCK := .venv-lock/bin/pip-compile --quiet --strip-extras --generate-hashes --no-header --no-emit-index-url \
	--no-emit-trusted-host --no-emit-find-links
lock:
	test -x .venv-lock/bin/pip-compile || ($(PYTHON) -m venv .venv-lock && .venv-lock/bin/pip install --quiet pip-tools)
	$(LOCK) --extra train --extra roi --extra demo --extra dev -o requirements/dev.txt pyproject.toml
	$(LOCK) -c requirements/dev.txt -o requirements/runtime.txt pyproject.toml
	$(LOCK) -c requirements/dev.txt --extra train --extra roi --extra demo -o requirements/demo.txt pyproject.toml
	$(LOCK) -c requirements/dev.txt --extra train --extra roi -o requirements/server.txt pyproject.toml
	$(LOCK) -c requirements/dev.txt -o requirements/build.txt requirements/build.in

clean:
	rm -rf .venv .venv-lock dist build demo-data
