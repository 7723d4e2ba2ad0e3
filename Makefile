# What people call. Every target prepares what it needs itself; see README.md.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
OURS := platform_app/core platform_app/systems/budget platform_app/systems/payment platform_app/systems/ledger
PY_TREES := rollout plugins platform_app tests bench tools

.PHONY: help
help: ## Say what there is
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ---- what the targets stand on ----------------------------------------------------------------------------
.venv/.ready: requirements/dev.txt pyproject.toml $(wildcard $(OURS:%=%/pyproject.toml)) tools/prepare \
  platform_app/core/vendor.json tools/vendor.py
	@tools/prepare venv $(PYTHON)
	@$(BIN)/python tools/vendor.py
	@touch $@

.PHONY: debian-lab debian-test
debian-lab:
	@tools/prepare debian lab
debian-test:
	@tools/prepare debian test

# ---- for everybody ----------------------------------------------------------------------------------------
.PHONY: serve
serve: .venv/.ready ## The platform alone, on embedded PostgreSQL, with demonstration data
	@$(BIN)/jincai serve --demo

.PHONY: lab lab-down
lab: debian-lab .venv/.ready ## One city of three real hosts: deployed, audited (root)
	@tools/lab nanning

lab-down: .venv/.ready ## End the lab's hosts
	@$(BIN)/rollout lab down

.PHONY: test
test: debian-test .venv/.ready ## The tests; with root also the one-city lab
	@$(BIN)/pytest tests/unit -n 2 --dist loadfile -q
	@$(BIN)/pytest tests/platform tests/browser -n 3 --dist loadfile -q --durations=20
	@$(BIN)/pytest tests/lab -m "not long"

.PHONY: lab-long
lab-long: debian-test .venv/.ready ## The lab tests that take too long for every change (root)
	@$(BIN)/pytest tests/lab -m long

.PHONY: molecule
molecule: debian-lab .venv/.ready ## The roles on bare lab hosts: converge, idempotence, verify (root)
	@tools/molecule

.PHONY: region
region: debian-lab .venv/.ready ## Region and three cities on this machine (root)
	@$(BIN)/python tools/region.py

.PHONY: bench
bench: debian-lab .venv/.ready ## Every benchmark beside its reference; JSON under bench/results/
	@for bench in bench/bench_*.py; do $(BIN)/python $$bench; done

.PHONY: matrix
matrix: debian-lab .venv/.ready ## Every fault at every step; the next run ends uniform (hours; resumes)
	@$(BIN)/python tools/matrix.py

.PHONY: wheels
wheels: .venv/.ready ## Our own wheels under dist/
	@for dist in . $(OURS); do $(BIN)/python -m hatchling build -t wheel -d $(CURDIR)/dist $$dist; done

# ---- for who changes the code -----------------------------------------------------------------------------
.PHONY: lint
lint: .venv/.ready ## ruff, mypy strict, ansible-lint, role READMEs up to date
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy rollout tools
	@$(BIN)/mypy platform_app/core/jincai $(wildcard platform_app/systems/*/jincai_*)
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/ansible-lint --offline -q
	@$(BIN)/python tools/role_readmes.py --check

.PHONY: docs
docs: .venv/.ready ## Role READMEs from their argument specs
	@$(BIN)/python tools/role_readmes.py

.PHONY: requirements
requirements: .venv/.ready ## Pin anew what requirements/*.in names
	@$(BIN)/uv pip compile -q --generate-hashes --upgrade --python-version 3.11 requirements/dev.in -o requirements/dev.txt
	@$(BIN)/uv pip compile -q --generate-hashes --upgrade --python-version 3.11 requirements/npm.in -o requirements/npm.txt
	@for set in platform control; do $(BIN)/uv pip compile -q --generate-hashes --python-version 3.11 \
	  -c requirements/dev.txt requirements/$$set.in -o requirements/$$set.txt; done
