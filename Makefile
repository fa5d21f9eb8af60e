# Needs Python 3.11 or newer, pip and make. `make help` lists the targets.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q install -c constraints.txt
PINS := pyproject.toml constraints.txt

# A framework's tests run in a process of their own: TensorFlow imported before Paddle ends the process.
APART := $(wildcard tests/frontends/torch tests/frontends/keras tests/frontends/paddle)

.DEFAULT_GOAL := help
.PHONY: help demo test lint docs bench peers clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: $(VENV)/.base ## count AlexNet, with no deep-learning framework installed
	$(BIN)/flopledger count examples/alexnet.prototxt

test: lint docs ## run the linters, build the documentation, run every test
	@failed=; \
	run() { echo "pytest $$*"; $(BIN)/python -m pytest "$$@" || failed="$$failed $$1"; }; \
	run tests $(APART:%=--ignore=%); \
	for folder in $(APART); do run $$folder; done; \
	if [ -n "$$failed" ]; then echo "failed:$$failed" >&2; exit 1; fi

lint: $(VENV)/.dev ## check style, types, imports and news fragments
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/towncrier build --draft --version next >/dev/null

docs: $(VENV)/.docs ## build the documentation into docs/_build; a warning is an error
	$(BIN)/sphinx-build -W -n --keep-going -q docs docs/_build

bench: $(VENV)/.base ## measure start-up and long chains, with ratios
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/chains.py

peers: $(VENV)/.dev ## run the differential tests against the peer tools themselves, not their recorded answers
	$(BIN)/python -m pytest tests/differential --peers

clean: ## remove what make made
	rm -rf $(VENV) docs/_build docs/reference/generated dist

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "flopledger needs Python 3.11 or newer; this is " + sys.version.split()[0] + ": name another one with make PYTHON=...")'
	$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/.base: $(VENV)/.made $(PINS)
	$(PIP) -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	$(PIP) -e '.[dev,torch,peers-torch,peers-keras,peers-paddle]'
	@touch $@

$(VENV)/.docs: $(VENV)/.base
	$(PIP) -e '.[docs]'
	@touch $@
