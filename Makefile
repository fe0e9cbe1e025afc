# For people who use or extend the template. A generated project has a Makefile of its own.
.DEFAULT_GOAL := help
.PHONY: help demo test test-fast check bench bench-collect bench-serving bench-batch bench-quality lock

PYTHON ?= python3
OUT ?= demo
ANSWERS ?=
BENCH ?=
export VIRTUAL_ENV := $(CURDIR)/.venv
export PATH := $(VIRTUAL_ENV)/bin:$(PATH)
unexport PYTHONHOME PYTHONPATH

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

demo: .venv/ready ## Generate a project, run it and ask it for a prediction: OUT=demo ANSWERS="example=finance"
	@python scripts/demo.py "$(OUT)" $(ANSWERS)

test: .venv/ready ## Run all tests, generated projects included: about half an hour
	pytest

test-fast: .venv/ready ## Run the tests that do not run a generated project: about a minute
	pytest -m "not slow"

check: .venv/ready ## Lint, format and types of the template and of what it generates
	ruff check .
	ruff format --check .
	mypy
	pytest -q tests/test_tree.py

bench: bench-batch bench-collect bench-serving ## All that compares speed: over an hour, a few minutes with BENCH=--quick

bench-batch: .venv/ready ## Compare `make predict` with scikit-learn on an encoded array: BENCH="--rows 100000"
	python benchmarks/batch.py $(BENCH)

bench-collect: .venv/ready ## Compare how tables are collected with pandas and pyarrow: BENCH="--csv-gigabytes 5"
	python benchmarks/collect.py $(BENCH)

bench-serving: .venv/ready ## Compare the server with FastAPI alone, MLflow, BentoML: see benchmarks/serving.py for BENCH
	python benchmarks/serving.py $(BENCH)

bench-quality: .venv/ready ## Compare models with defaults, AutoGluon and FLAML: see benchmarks/quality.py for BENCH
	python benchmarks/quality.py $(BENCH)

lock: .venv/ready ## Resolve the dependencies anew, the template's and the generated project's
	uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --custom-compile-command "make lock" --no-emit-index-url --group dev pyproject.toml --output-file requirements.lock
	grep -A 100 '^uv==' requirements.lock | awk 'NR > 1 && /^[a-z]/ { exit } { print }' > requirements-uv.lock
	python scripts/lock_project.py

.venv/ready: requirements.lock
	test -x .venv/bin/python || $(PYTHON) -m venv .venv
	command -v uv > /dev/null || python -m pip install --quiet --require-hashes --requirement requirements-uv.lock
	uv pip sync --quiet --require-hashes requirements.lock
	touch .venv/ready
