# One word for each habit; `make` alone lists them. PY may name another Python that has requirements-dev.txt.
.DEFAULT_GOAL := help
.PHONY: help run test slow ways lint types check bench gauntlet screenshots lock newest resolve
PY ?= .venv/bin/python
READY := $(if $(filter .venv/bin/python,$(PY)),.venv/installed)
LOCK ?=
PICTURES ?= screenshots

help: ## List these words
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 13

# What every word needs: README's line for the tests, but for its end.
.venv/installed: requirements.txt requirements-operators.txt requirements-dev.txt constraints.txt
	python3 -m venv .venv && .venv/bin/python -m pip install -r requirements-dev.txt -c constraints.txt
	touch $@

run: $(READY) ## Open the page
	$(PY) app.py

test: $(READY) ## Run the tests, but for the slow ones
	$(PY) -m pytest

slow: $(READY) ## Run the slow tests that CI runs
	$(PY) -m pytest -m 'slow and not ways and not network and not gpu'

ways: $(READY) ## Run those that open or feed the page in every way, and the long walks again in the other language
	$(PY) -m pytest -m 'ways and not network and not gpu'

lint: $(READY) ## Put the code in order and name what cannot be
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

types: $(READY) ## Check the types
	$(PY) -m mypy

check: ## Run everything that CI runs, in a fresh clone
	.ci/run

bench: $(READY) ## Print what the demo promises beside what it measures
	$(PY) -m tests.benchmarks

gauntlet: $(READY) ## Try to bring the page down in every way that ever did: half an hour, or ONLY=events
	$(PY) -m tests.gauntlet $(ONLY)

screenshots: $(READY) ## Take pictures of everything, in both languages and lights, on three screens: PICTURES=folder
	$(PY) -m tests.screenshots $(PICTURES)

lock: $(READY) ## Write constraints.txt; LOCK=--upgrade takes newer versions, which are then to be tested
	$(PY) -m uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-emit-package pip \
		--no-annotate --custom-compile-command 'make lock' $(LOCK) requirements-dev.txt requirements-engine.txt -o constraints.txt

newest: ## Run the tests with the newest versions: all, or ONLY=gradio
	.ci/newest $(ONLY)

resolve: $(READY) ## Ask whether every requirement is a wheel, for each system and Python
	$(PY) .ci/resolve.py
