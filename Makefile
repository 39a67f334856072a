# Everything one does with this project. `make` alone lists it.
# Each target makes .venv first when it is missing or older than the pinned set.

SHELL  := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   ?= .venv
BIN    := $(VENV)/bin
ARGS   ?=

INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
SOURCES := core tasks flows

.DEFAULT_GOAL := help
.PHONY: help demo test coverage serve bench lint format docs site clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing the pinned set into $(VENV); the first time takes a few minutes."
	$(INSTALL) -e '.[dev]'
	@touch $@

$(VENV)/.bench: $(VENV)/.dev
	$(INSTALL) -e '.[bench]'
	@touch $@

demo: $(VENV)/.dev ## run the main job over a sample of agent memory, on Prefect's embedded server
	$(BIN)/python -m memtend_flows.demo $(ARGS)

# In memory where there is room: on a disk the tests wait longer for it than they compute. What they
# kill are processes, and what a process has written outlives it in memory, too.
QUICK := $(shell df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 && $$4 > 6000000 { print "/dev/shm" }')

# No threads of OpenBLAS in workers that fork. Three on two cores: the worker that has the flows mostly waits for Prefect's server.
# And compiled once: tests start hundreds of processes, which else compile everything again where a
# machine says PYTHONDONTWRITEBYTECODE.
test: $(VENV)/.dev ## run every test; ARGS="-k name" narrows it
	PYTHONDONTWRITEBYTECODE= OPENBLAS_NUM_THREADS=1 $(if $(QUICK),TMPDIR=$${TMPDIR:-$(QUICK)} )$(BIN)/python -m pytest -n 3 --dist loadfile --durations=30 $(ARGS)

# Apart from `test`: counting lines takes half as long again as the tests themselves.
coverage: ## run every test and count the lines and branches that they reach: 95 % of the library
	$(MAKE) test ARGS="--cov=memtend --cov-branch --cov-report=term --cov-fail-under=95 $(ARGS)"

serve: $(VENV)/.dev ## start the Prefect server, its UI and all schedules
	$(BIN)/python -m memtend_flows.serve $(ARGS)

bench: $(VENV)/.bench ## measure against raw SQLite and others, and write docs/benchmarks.md
	$(BIN)/python -m tests.benchmarks $(ARGS)

lint: $(VENV)/.dev ## ruff, mypy --strict, import contracts, the site with its links
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict $(SOURCES) tests .ci docs/site
	$(BIN)/lint-imports
	$(BIN)/python docs/site/build.py

format: $(VENV)/.dev ## let ruff fix and format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.dev ## write docs/cli.md and docs/errors.md from the code
	$(BIN)/python -m memtend.cli.docs $(ARGS)

site: $(VENV)/.dev ## build the documentation as a site in .site, and check every link
	$(BIN)/python docs/site/build.py

clean: ## remove the environment and everything that was generated
	rm -rf $(VENV) .coverage* htmlcov .pytest_cache .mypy_cache .ruff_cache .hypothesis \
		.import_linter_cache .site demo dist benchmarks.json
