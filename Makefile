# `make run` starts a demo; `make test` runs everything CI runs.
SHELL := bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
DEMO_DATABASE := data/demo.db
DEMO_LOGIN := data/demo-login.txt
FIREFOX := tests/browser/firefox
PIP := $(BIN)/pip --disable-pip-version-check --quiet

.PHONY: run test test-slow check bench wheel docs screenshots clean
.DELETE_ON_ERROR:

run: $(VENV)/.run-ready ## environment, migrations, demo data, service
	@mkdir -p data
	@test -e $(DEMO_LOGIN) || { umask 077; rm -f $(DEMO_DATABASE)*; \
	  echo "Making the demo; this takes half a minute."; \
	  ABTEST_DATABASE=$(DEMO_DATABASE) $(BIN)/abtest demo > $(DEMO_LOGIN).part \
	  && mv $(DEMO_LOGIN).part $(DEMO_LOGIN); }
	@cat $(DEMO_LOGIN)
	ABTEST_DATABASE=$(DEMO_DATABASE) $(BIN)/abtest serve --port $(PORT)

test: $(VENV)/.test-ready check ## everything, system packages included
	@tools/system-packages
	@$(MAKE) --no-print-directory $(FIREFOX)/node_modules/.ready
	$(BIN)/pytest -n 2 --dist loadfile -m "not slow" --cov --cov-report=
	$(BIN)/coverage report --skip-covered --sort=cover --fail-under=95
	$(BIN)/coverage report --include='abtest/domain/*,abtest/stats/*' --fail-under=100

test-slow: $(VENV)/.test-ready ## simulations and soak tests; takes long
	$(BIN)/pytest -m slow -s

check: $(VENV)/.test-ready ## lint, format, types, imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.test-ready ## ratios against peers and limits, same run
	for file in benchmarks/*.py; do $(BIN)/python $$file || exit 1; done

docs: $(VENV)/.test-ready ## docs/openapi.json, as the service serves it
	$(BIN)/python -c "from pathlib import Path; from abtest.web.api.docs import document_text; from abtest.web.api.routes import ROUTES; Path('docs/openapi.json').write_text(document_text(ROUTES))"

screenshots: $(VENV)/.test-ready ## docs/screenshots, of every page in both languages
	@tools/system-packages
	$(BIN)/python tools/screenshots.py

wheel: $(VENV)/.test-ready
	$(BIN)/python -m build --wheel --no-isolation

$(VENV)/.run-ready: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing abtest and what it needs; the first time takes a minute or two."
	$(PIP) install -c constraints.txt -e .
	@touch $@

$(VENV)/.test-ready: $(VENV)/.run-ready
	$(PIP) install -c constraints.txt -e '.[dev]'
	@touch $@

# What drives Firefox in the tests; no browser is downloaded.
$(FIREFOX)/node_modules/.ready: $(FIREFOX)/package-lock.json
	npm ci --prefix $(FIREFOX) --no-audit --no-fund --ignore-scripts --silent \
	  || { echo "npm could not install what drives Firefox; is there a network?" >&2; exit 1; }
	@touch $@

clean:
	rm -rf $(VENV) $(FIREFOX)/node_modules dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
