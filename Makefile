# Everything is reached through `make`; each target sets up what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run demo screenshots setup test check soak clean

run: setup
	$(BIN)/letterbook run

# A company with three years of mail, in .demo, on a free port.
demo: setup
	$(BIN)/letterbook demo

setup: $(VENV)/.ready

# A file of tests is one process's, so that what it starts is started once.
test: check
	$(BIN)/pytest -n auto --maxprocesses 4 --dist loadfile

# The worker killed at random while its mailbox changes; a quarter of an hour or more.
KILLS ?= 1000
soak: $(VENV)/.ready-dev
	$(BIN)/python -m tests.sync.soak $(KILLS)

check: $(VENV)/.ready-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy app worker.py
	$(BIN)/lint-imports

# The lock by hash first, then the project itself without looking anything up.
$(VENV)/.ready: requirements.lock pyproject.toml tools/build_static.py | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.ready-dev: requirements-dev.lock $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Letterbook needs Python 3.11 or newer. Name one with: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "Python's venv module is missing. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The README's pictures, of the demo company; needs Chromium.
screenshots: $(VENV)/.ready-dev
	$(BIN)/python tools/screenshots.py docs/screenshots

clean:
	rm -rf $(VENV) app/static/htmx.min.js
