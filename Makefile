# Everything a user types. `make quickstart` and `make test` work on a fresh machine with Python 3.11.
PYTHON ?= python3.11
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help install quickstart slurm-packages page-packages test test-quick faults check bench

help:  ## This list.
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -m venv .venv
	@echo "installing into .venv (about two minutes)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --constraint constraints.txt --editable '.[dev,vision,excel]'
	@touch $@

install: .venv/installed  ## Install into .venv, with the versions of constraints.txt.

quickstart: install  ## Synthetic recordings, searches, retraining, test: experiments/quickstart.yaml.
	@$(BIN)/orchestrate run experiments/quickstart.yaml

# Debian's packages that tests use, installed where apt and root are there; else those tests are skipped, saying so.
# SLURM, and what its accounting needs: nothing is started, tests start clusters of their own.
SLURM_PACKAGES := slurm-wlm munge slurmdbd slurm-wlm-mysql-plugin mariadb-server-core mariadb-client-core
# What looks at pages and typesets tables.
PAGE_PACKAGES := chromium poppler-utils texlive-latex-base texlive-latex-recommended
install_packages = if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && ! dpkg -s $(1) >/dev/null 2>&1; then \
		echo "installing $(2) (about half a minute)"; \
		export DEBIAN_FRONTEND=noninteractive; \
		{ apt-get -qq update && apt-get -qq install -y --no-install-recommends $(1); } >/dev/null 2>&1 \
			|| echo "$(2) could not be installed; tests that need it are skipped"; \
	fi

slurm-packages:  ## The SLURM that the cluster's tests start.
	@$(call install_packages,$(SLURM_PACKAGES),SLURM)

page-packages:  ## The browser that looks at pages, the LaTeX that typesets tables.
	@$(call install_packages,$(PAGE_PACKAGES),Chromium and LaTeX)

test: install slurm-packages page-packages  ## Every test.
	@$(BIN)/python -m pytest

test-quick: install  ## The tests that start no Ray and no SLURM, kill nothing, and read no whole database.
	@$(BIN)/python -m pytest -m "not slow and not slurm" -n 2

faults: install  ## Faults done to real runs, and what came of each: a table, also in build/faults.md.
	@$(BIN)/python -m pytest -m fault && cat build/faults.md

check: install  ## Format, lint, types.
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

bench: install  ## Ratios measured side by side on this machine.
	@$(BIN)/python -m tests.benchmarks.overhead
	@$(BIN)/python -m tests.benchmarks.frozen_features
	@$(BIN)/python -m tests.benchmarks.charts
	@$(BIN)/python -m tests.benchmarks.pool
	@$(BIN)/python -m tests.benchmarks.coverage
	@$(BIN)/python -m tests.benchmarks.selection
