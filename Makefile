# Two commands for a new user: `make demo` and `make test`. `make help` lists the rest.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
# Tests on real servers mostly wait: twice as many processes as cores. A file's tests stay together,
# as they share what it made; the files begin in their order, in which the long ones come first.
SIDE_BY_SIDE := -n 4 --dist loadfile --no-loadscope-reorder
ON_SERVERS := tests --ignore tests/unit --ignore tests/scenarios

.PHONY: help demo test check lint unit servers chaos bench dashboards env stack lock clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: .venv/.runtime ## run everything in one process on embedded parts (ARGS=--once ends after the table)
	@$(BIN)/seatwatt demo $(ARGS)

test: .venv/.dev servers lint ## install what the tests need and run them all
	$(BIN)/pytest -q -n 2 tests/unit tests/scenarios --cov --cov-report=term --cov-fail-under=100
	@# What times out beside others on a busy machine is judged alone; what is wrong fails again.
	$(BIN)/pytest -q $(SIDE_BY_SIDE) $(ON_SERVERS) || { echo "once more, alone: what failed"; \
		$(BIN)/pytest -q --last-failed --last-failed-no-failures none $(ON_SERVERS); }

check: export SEATWATT_EXPLORE := 1
check: .venv/.dev lint unit ## format, types, imports and the fast tests (properties drawn anew): under five minutes

lint: .venv/.dev
	$(BIN)/ruff check seatwatt tests grafana deploy
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: .venv/.dev
	$(BIN)/pytest -q -n 2 tests/unit tests/scenarios tests/test_house.py --cov --cov-report=term --cov-fail-under=100

servers: ## install the real servers that the tests start (Debian, needs root or sudo)
	@sh tests/install-servers.sh

chaos: .venv/.dev servers ## kill and cut every part under load and print what was lost (nothing)
	$(BIN)/python -m tests.chaos $(ARGS)

bench: .venv/.dev servers ## measure speed: make bench ARGS=ingest
	$(BIN)/seatwatt bench $(ARGS)

dashboards: .venv/.dev ## write Grafana's files anew from grafana/*.py
	$(BIN)/python -W ignore -m grafana.generate

env: .venv/.runtime ## make .env and secrets/ for docker compose, random, once (ARGS=". broker.example")
	@$(BIN)/python deploy/make_env.py $(ARGS)

stack: .venv/.dev servers ## the compose file's services without containers, end to end
	$(BIN)/pytest -q tests/deploy

lock: .venv/.dev ## lock the newest versions that fit, with hashes and no index
	$(BIN)/uv pip compile -q --upgrade --generate-hashes --no-emit-index-url --no-header requirements-dev.in -o requirements-dev.txt
	$(BIN)/uv pip compile -q --generate-hashes --no-emit-index-url --no-header -c requirements-dev.txt requirements.in -o requirements.txt

clean: ## remove the virtual environment, caches and the demo's state
	rm -rf .venv var .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage seatwatt.egg-info

.venv/bin/uv: requirements-uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "seatwatt: Python 3.11 or newer is needed, $(PYTHON) is older" >&2; exit 2; }
	@$(PYTHON) -m venv .venv || \
		{ echo "seatwatt: no virtual environment can be made; on Debian: apt-get install python3-venv" >&2; exit 2; }
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements-uv.txt
	@touch $@

.venv/.runtime: requirements.txt pyproject.toml .venv/bin/uv
	@echo "installing locked dependencies ..."
	@$(BIN)/uv pip install -q --require-hashes -r requirements.txt
	@$(BIN)/uv pip install -q --no-deps -e .
	@touch $@

.venv/.dev: requirements-dev.txt .venv/.runtime
	@$(BIN)/uv pip install -q --require-hashes -r requirements-dev.txt
	@touch $@
