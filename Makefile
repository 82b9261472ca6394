# Everything a target needs is fetched into .celeriac/ and .venv/ of this clone. Only Python >= 3.11 and make come first.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
UV_VERSION := 0.13.9
TOOLS := .celeriac/uv-$(UV_VERSION)
UV := $(TOOLS)/bin/uv
BIN := .venv/bin
MANIFESTS := pyproject.toml uv.lock $(wildcard packages/*/pyproject.toml services/*/pyproject.toml examples/*/pyproject.toml)
CODE := $(wildcard packages services examples tests bench tools)

# The interpreter that make was given is the one used: uv fetches none of its own.
export UV_PYTHON_DOWNLOADS := never
export UV_PYTHON := $(PYTHON)
# As pip does: a network with a certificate authority of its own has it among the system's.
export UV_SYSTEM_CERTS ?= true

##@ Daily
.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: .venv/.synced ## Fetch uv and install everything uv.lock names

.PHONY: dev
dev: setup ## Run the whole platform here and send it a sample job; ONCE=1 stops after the answer, REDIS_URL=… uses that Redis
	@exec $(BIN)/celeriac dev $(if $(ONCE),--once)

.PHONY: test
test: lint unit integration ## Everything a change must pass

.PHONY: clean
clean: ## Remove what was installed and what runs left behind
	rm -rf .venv .celeriac .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find $(CODE) -name __pycache__ -prune -exec rm -rf {} +

##@ Checks
.PHONY: lint
lint: setup types check-isolation ## Style, types, layering, lock, isolation, file lengths
	$(UV) lock --check --quiet
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/python tools/file_lengths.py
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml

.PHONY: types
types: setup ## mypy, strict, over everything
	$(BIN)/mypy $(CODE)

.PHONY: check-isolation
check-isolation: setup ## Install each workspace member alone and import all of it
	$(BIN)/python tools/isolation.py $(UV)

.PHONY: unit
unit: setup ## Tests without network; ARGS="-k name" narrows
	$(BIN)/pytest tests/unit $(ARGS)

.PHONY: system-packages
system-packages: ## What the integration tests need of the system: a browser, and a Redis server that speaks TLS
	@if test -x /usr/bin/redis-check-rdb && command -v chromium chromium-browser google-chrome >/dev/null; then exit 0; fi; \
	if ! command -v apt-get >/dev/null || test "$$(id -u)" != 0; then \
		echo "The integration tests need a browser and a Redis server with TLS: apt-get install chromium redis-tools, as root"; exit 1; \
	fi; \
	echo "Installing chromium and redis-tools"; \
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium redis-tools >/dev/null

.PHONY: integration
integration: setup system-packages ## Tests on a real Valkey, Sentinel, API and workers, two files at a time: they wait, mostly
	$(BIN)/pytest tests/integration --numprocesses 2 --dist loadfile $(ARGS)

.PHONY: fmt
fmt: setup ## Rewrite the code in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: generate
generate: setup ## Write anew what is made from other files: pages of settings, states and pools, chart README, dashboards
	$(BIN)/python tools/settings_page.py
	$(BIN)/python tools/states_page.py
	$(BIN)/python -m tests.integration.conformance.page
	$(BIN)/python tools/chart_readme.py
	$(BIN)/python tools/dashboards.py

.PHONY: lock
lock: $(UV) ## Write uv.lock anew after a manifest changed
	$(UV) lock

.venv/.synced: $(UV) $(MANIFESTS)
	@echo "Installing what uv.lock names into .venv"
	@$(UV) sync --all-packages --locked --quiet
	@touch $@

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "$(PYTHON) is missing or older than Python 3.11: name a newer one, as in 'make $(MAKECMDGOALS) PYTHON=python3.13'"; exit 1; }
	@echo "Fetching uv $(UV_VERSION) into $(TOOLS)"
	@$(PYTHON) -m venv $(TOOLS) \
		|| { echo "$(PYTHON) cannot make virtual environments: install its venv module (Debian: apt install python3-venv)"; exit 1; }
	@$(TOOLS)/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

include charts.mk
