# One place for every command: people, pre-commit and CI all call these targets.
#
#   PYTHON=/path/to/python3.12 make lab    choose the Python that .venv is made with
#   make lab LAB_ARGS=--no-browser         hand arguments to JupyterLab
#   TORCH_INDEX=URL make lab               take torch from PyTorch's CPU index (see README.md)

SHELL := /bin/bash
VENV ?= .venv
BIN := $(VENV)/bin
PYTHONS := $(PYTHON) python3 python3.13 python3.12 python3.11
LAB_ARGS ?=
TORCH_INDEX ?=
PYTEST_ARGS ?=
# Threads that wait are to sleep: spinning slows down whatever else runs on the machine.
export OMP_WAIT_POLICY ?= PASSIVE

PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
# One line in twenty-five of pip's, so that minutes do not pass in silence.
COUNT := awk '/^(Collecting|Processing) / { if (++n % 25 == 0) print "  " n " packages found" } \
  /^Installing collected/ { print "  unpacking " n " packages" } { fflush() }'
# The CPU build of torch has none of these.
ONLY_GPU := ^(nvidia-|cuda-|triton)
UV := $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
  --fork-strategy fewest --no-header --no-annotate

.DEFAULT_GOAL := help
.PHONY: help lab test lint types lessons site lock wheel clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

lab: $(VENV)/.core ## build the environment, open JupyterLab on the first lesson
	$(BIN)/jupyter lab notebooks/00_start_here.ipynb $(LAB_ARGS)

test: $(VENV)/.dev ## run every test: units, house, lessons, browser
	$(BIN)/python -m pytest --numprocesses=2 --dist=loadfile $(PYTEST_ARGS)

lint: $(VENV)/.dev ## style, layers, drift and measures of the lessons
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m authoring build --check
	$(BIN)/python -m authoring measure --strict
	$(BIN)/lint-imports

types: $(VENV)/.dev ## mypy, strict
	$(BIN)/mypy

lessons: $(VENV)/.dev ## write notebooks/ and solutions/*.ipynb from solutions/*.py
	$(BIN)/python -m authoring build

site: $(VENV)/.dev ## build the site of lessons, results and code into artifacts/site
	$(BIN)/python docs/site/assemble.py artifacts/site-source
	$(BIN)/python -m sphinx -W --keep-going -q -b html artifacts/site-source artifacts/site

lock: $(VENV)/.dev ## resolve pyproject.toml anew into the two locks
	$(PIP) install --quiet uv
	$(UV) --upgrade --extra dev --extra docs --extra parity --output-file requirements-dev.lock
	$(UV) --upgrade --constraint requirements-dev.lock --output-file requirements.lock

wheel: $(VENV)/.dev ## build the wheel into dist/
	$(PIP) wheel --quiet --no-deps --wheel-dir dist .

clean: ## remove the environment and everything that was made
	rm -rf $(VENV) dist artifacts .rsedu .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find rsedu authoring tests solutions notebooks -name __pycache__ -o -name .ipynb_checkpoints | xargs rm -rf

# A stamp is written last, so an install that was cut short is taken up again next time.
$(VENV)/.core: requirements.lock pyproject.toml
	@$(MAKE) --no-print-directory $(VENV)/.python
	@if [ -e $@ ]; then echo "The lock or pyproject.toml changed: bringing $(VENV) up to date."; \
	  else echo "Installing the kit into $(VENV), once: 3 minutes and 7 GB on Linux."; fi
	@rm -f $@ $(VENV)/.dev
	@if [ -n "$(TORCH_INDEX)" ]; then grep -vE '$(ONLY_GPU)' requirements.lock; \
	  else cat requirements.lock; fi > $(VENV)/core.txt
	@set -o pipefail; $(PIP) install $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) \
	  --requirement $(VENV)/core.txt | $(COUNT)
	@$(PIP) install --quiet --no-deps --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.core requirements-dev.lock
	@echo "Adding the tools for development."
	@rm -f $@
	@if [ -n "$(TORCH_INDEX)" ]; then grep -vE '$(ONLY_GPU)' requirements-dev.lock; \
	  else cat requirements-dev.lock; fi > $(VENV)/dev.txt
	@set -o pipefail; $(PIP) install $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) \
	  --requirement $(VENV)/dev.txt | $(COUNT)
	@touch $@

# Each candidate is run, not only looked up: version managers leave names that start nothing.
$(VENV)/.python:
	@for python in $(PYTHONS); do \
	  if "$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	    2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$${found:-}" ]; then \
	  echo "rsedu needs Python 3.11, 3.12 or 3.13, and none of these runs: $(PYTHONS)." >&2; \
	  echo "Install one (Debian, Ubuntu: apt install python3 python3-venv), or PYTHON=/path make lab." >&2; \
	  exit 1; \
	fi; \
	if ! "$$found" -c 'import ensurepip, venv' 2>/dev/null; then \
	  echo "$$found cannot make environments; on Debian and Ubuntu: sudo apt install python3-venv" >&2; \
	  exit 1; \
	fi; \
	echo "Making $(VENV) with $$("$$found" --version) ($$found)."; \
	"$$found" -m venv --clear $(VENV)
	@touch $@
