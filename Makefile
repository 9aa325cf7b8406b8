# Ondol. `make help` lists what there is; everything installs into .venv and .ondol of this folder.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
# Airflow takes over the logging of the process that imports it: its tests have one of their own.
AIRFLOW := tests/dags tests/ondol/operators tests/test_compose.py
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help install demo ui test test-all check lock bench stop clean

help: ## what each target does
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

install: $(INSTALLED) ## the environment, from hash-locked files

$(INSTALLED): requirements-dev.txt pyproject.toml .ci/uv.txt tenants/dataform/package-lock.json
	@$(PYTHON) -c 'import sys; sys.exit(None if (3, 11) <= sys.version_info < (3, 14) else "Ondol needs Python 3.11, 3.12 or 3.13: make PYTHON=/path/to/python3.11")'
	@echo "1/4 a virtual environment in .venv"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r .ci/uv.txt
	@echo "2/4 Python packages from requirements-dev.txt (a minute on a fresh machine)"
	@$(BIN)/uv pip sync -q --python $(BIN)/python --require-hashes requirements-dev.txt
	@echo "3/4 Ondol itself"
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
	@echo "4/4 Dataform's compiler from tenants/dataform/package-lock.json"
	@$(BIN)/python -m ondol.warehouse.dataform.toolchain
	@touch $@

demo: $(INSTALLED) ## three sample tenants through Airflow, from files to rows in PostgreSQL
	@$(BIN)/python -m tests.samples.demo

ui: $(INSTALLED) ## Airflow with the tenants in it, on http://127.0.0.1:8080
	@$(BIN)/ondol ui

test: $(INSTALLED) ## all tests but the slow ones
	@echo "Tests, two at a time; servers are started as needed and stopped at the end"
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow" $(AIRFLOW:%=--ignore=%)
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow" $(AIRFLOW)
	@echo "Passed. The slow ones (a real scheduler) too: make test-all"

test-all: $(INSTALLED) ## all tests
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(AIRFLOW:%=--ignore=%)
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(AIRFLOW)

check: $(INSTALLED) ## style, types, import directions, tenants
	@$(BIN)/ruff format --check -q . && $(BIN)/ruff check -q . && echo "ruff: ok"
	@$(BIN)/mypy
	@$(BIN)/lint-imports | tail -4
	@$(BIN)/ondol check

lock: ## write the lock files anew from pyproject.toml
	@$(BIN)/uv pip compile -q --generate-hashes --no-emit-index-url --universal -p 3.11 --group dev pyproject.toml -o requirements-dev.txt
	@$(BIN)/uv pip compile -q --generate-hashes --no-emit-index-url --universal -p 3.11 -c requirements-dev.txt pyproject.toml -o requirements.txt

bench: $(INSTALLED) ## the figures of docs/benchmarks.md
	@for file in tests/benchmarks/bench_*.py; do echo "== $$file"; $(BIN)/python $$file; done

stop: ## stop the embedded PostgreSQL
	@$(BIN)/ondol db stop

clean: ## remove what was installed and made here (.venv, .ondol)
	@if [ -x $(BIN)/ondol ]; then $(BIN)/ondol db stop || true; fi
	@rm -rf .venv .ondol tenants/dataform/node_modules
