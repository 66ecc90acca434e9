# Thin: each target sets up what it needs (host_tools/bootstrap.py), then runs one command.
#
#   make demo              a field of three nodes, gateway and page; Ctrl-C ends it
#   make demo SECONDS=30   the same, ends by itself; the last line of stdout is JSON
#   make test              unit tests under CPython and MicroPython, then pytest
#   make lint bench soak toolchain clean

PYTHON ?= python3
SETUP = @command -v $(PYTHON) >/dev/null || { $(GET_PYTHON); } >&2; $(PYTHON) host_tools/bootstrap.py
# A bare Debian has no Python.
GET_PYTHON = if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; \
  then apt-get -qq update && apt-get -qq install -y --no-install-recommends python3 python3-venv; \
  else echo "hedgerow: missing: install Python with 'sudo apt-get install python3 python3-venv'"; exit 1; fi
BIN = .venv/bin

# Bash exports a SECONDS of its own: only the one of make's command line is meant.
ifeq ($(origin SECONDS),command line)
DEMO = --seconds $(SECONDS)
endif

# Folders that exist: a clone without some of them still tests the others.
TESTS = $(wildcard tests/host tests/e2e tests/interop tests/faults tests/emulated)

# A file's tests share boards and brokers, so a file stays on one core; an emulator wants a whole one.
PARALLEL = -n auto --maxprocesses 4 --dist loadfile

# Selenium must not look for browsers on the network.
export SE_OFFLINE = true
export SE_AVOID_STATS = true

.PHONY: demo test lint bench soak toolchain setup clean
.DEFAULT_GOAL = demo

demo:
	$(SETUP) run
	@$(BIN)/hedgerow demo $(DEMO)

test:
	$(SETUP) test
	@status=0; \
	$(BIN)/python tests/run.py || status=1; \
	$(BIN)/python -m pytest -m "not soak" $(PARALLEL) $(TESTS) || status=1; \
	exit $$status

lint:
	$(SETUP) lint
	@status=0; \
	$(BIN)/ruff check . || status=1; \
	$(BIN)/ruff format --check . || status=1; \
	$(BIN)/mypy || status=1; \
	$(BIN)/codespell || status=1; \
	exit $$status

bench:
	$(SETUP) bench
	@$(BIN)/python tests/bench/run.py

soak:
	$(SETUP) soak
	@status=0; \
	$(BIN)/python tests/fuzz.py || status=1; \
	$(BIN)/python -m pytest -m soak --timeout 0 $(TESTS) || status=1; \
	exit $$status

toolchain:
	$(SETUP) run
	@$(BIN)/hedgerow toolchain unix

setup:
	$(SETUP) test

clean:
	rm -rf build .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
