# Needs Python 3.11 or newer, pip and make. `make help` lists the targets.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q install -c constraints.txt
PINS := pyproject.toml constraints.txt

PYTEST := $(BIN)/python -m pytest
# One more than the cores: a suite often waits for a child that it tests.
JOBS ?= $(shell echo $$(($$(nproc 2>/dev/null || echo 2) + 1)))

# A framework's tests run in a process of their own: TensorFlow imported before Paddle ends the process.
SUITES := core peers torch keras paddle
FRAMEWORKS := torch keras paddle
tests-peers := tests/differential tests/cross tests/docs
tests-core := tests $(patsubst %,--ignore=%,$(tests-peers)) $(FRAMEWORKS:%=--ignore=tests/frontends/%)
tests-torch := tests/frontends/torch
tests-keras := tests/frontends/keras
tests-paddle := tests/frontends/paddle

.DEFAULT_GOAL := help
.PHONY: help demo check test test-all browser prove lint docs bench peers bounds slowest clean $(SUITES:%=suite-%)

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

demo: $(VENV)/.base ## count AlexNet, with no deep-learning framework installed
	$(BIN)/flopledger count examples/alexnet.prototxt

check: $(VENV)/.dev ## lint, check types, run the quick tests of core: under a minute, for the edit loop
	@$(MAKE) --no-print-directory -j2 --output-sync=target lint suite-quick

test: $(VENV)/.dev $(VENV)/.docs browser ## lint, build the documentation, run all but the slow tests; what CI runs
	@$(MAKE) --no-print-directory -k -j$(JOBS) --output-sync=target $(SUITES:%=suite-%) lint docs

test-all: $(VENV)/.dev $(VENV)/.docs browser ## everything that make test does, the slow tests too, and make prove
	@$(MAKE) --no-print-directory -k -j$(JOBS) --output-sync=target SLOW=--slow $(SUITES:%=suite-%) lint docs
	@$(MAKE) --no-print-directory prove

browser: ## install the browser that tests of pages drive, where it is missing and Debian's packages are at hand
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || { [ "$$(id -u)" = 0 ] \
	  && command -v apt-get >/dev/null && timeout 600 sh -c 'apt-get -qq update && apt-get -qq -y install chromium' \
	  >/dev/null 2>&1; } || echo "no browser, and none could be installed: the tests of pages in one are skipped"

prove: $(VENV)/.dev ## change each formula and each rule by one unit: a test must fail for each change
	$(BIN)/python tests/prove/prove.py

suite-quick: $(VENV)/.dev
	$(PYTEST) -q --quick tests/core

$(SUITES:%=suite-%): suite-%: $(VENV)/.dev
	$(PYTEST) $(SLOW) $(tests-$*)

lint: $(VENV)/.dev ## check style, types, imports and news fragments
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/towncrier build --draft --version next >/dev/null

docs: $(VENV)/.docs ## build the documentation into docs/_build; a warning is an error
	$(BIN)/sphinx-build -W -n --keep-going -q docs docs/_build
	$(BIN)/sphinx-build -n -q -b man docs docs/_build/man
	@echo "The manual page is docs/_build/man/flopledger.1: man -l shows it."
	@echo "The documentation is in file://$(CURDIR)/docs/_build/index.html, with a search in its side bar."

slowest: $(VENV)/.dev ## measure every test and renew tests/slowest.txt, the list of those left to make test-all
	@mkdir -p build
	for suite in $(SUITES); do $(MAKE) --no-print-directory SLOW="--slow --durations=0 --durations-min=0.005" \
	  suite-$$suite > build/durations-$$suite.txt || exit 1; done
	$(BIN)/python tests/support/slowest.py $(SUITES:%=build/durations-%.txt) > build/slowest.txt
	mv build/slowest.txt tests/slowest.txt

bench: $(VENV)/.base ## measure start-up and long chains, with ratios
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/chains.py

peers: $(VENV)/.dev ## run the differential tests against the peer tools themselves, not their recorded answers
	$(PYTEST) --slow tests/differential --peers

bounds: $(VENV)/.made ## run the tests with the lowest versions that pyproject.toml allows, each in an environment of its own
	$(BIN)/python tests/packaging/bounds.py

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
	$(PIP) -e '.[dev,torch,peers-torch,peers-keras,peers-onnx,peers-paddle]'
	@touch $@

$(VENV)/.docs: $(VENV)/.base
	$(PIP) -e '.[docs]'
	@touch $@
