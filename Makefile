# make site   everything that the site needs, and the site
# make test   everything that the tests need, and the tests
# make torture  the long forms of tests/torture: every kill, full disk, hostile note, name, machine; hours
# make bench  how fast kb is beside plain MkDocs: benchmarks/speed.md (ten minutes, and two GB in TMPDIR)
# All do only what is missing. Another Python: make site PYTHON=python3.12

PYTHON ?= $(shell for each in python3 python3.13 python3.12 python3.11; do \
	$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$each && break; done)
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
SOURCES := git ls-files -coz --exclude-standard

.PHONY: site test retest torture bench tools test-tools format clean
.SILENT:

site: tools
	$(BIN)/kb build
	echo "Look at it: $(BIN)/kb serve"

test: test-tools
	state=$$($(SOURCES) 2>/dev/null | xargs -0 cksum 2>/dev/null | cksum); \
	if $(SOURCES) >/dev/null 2>&1 && [ "$$state" = "$$(cat $(VENV)/.tested 2>/dev/null)" ]; then \
		echo "All tests passed on these very files; make retest runs them again."; \
	else \
		$(MAKE) --no-print-directory retest && echo "$$state" > $(VENV)/.tested; \
	fi

retest: test-tools
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check .
	$(BIN)/mypy --no-error-summary
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile

# Others of the random inputs than the last time: make torture SEED=2
torture: test-tools
	echo "seed $(or $(SEED),1)"
	$(BIN)/python -m pytest tests/torture --long --seed $(or $(SEED),1) -s

bench: site
	$(PIP) install --upgrade --target $(VENV)/peers jieba==0.42.1
	$(BIN)/python benchmarks/speed.py --peer $(VENV)/peers

format: test-tools
	$(BIN)/ruff check --quiet --fix .
	$(BIN)/ruff format --quiet .

clean:
	rm -rf build site dist $(VENV) kb/frontend tests/frontend node_modules

tools: $(VENV)/.site
	$(PYTHON) frontend.py

test-tools: $(VENV)/.test
	$(PYTHON) frontend.py --tests
	$(BIN)/python tests/browser.py
	$(BIN)/python tests/torture/injections.py --fetch

$(VENV)/.site: pyproject.toml constraints.txt | $(BIN)/python
	$(PYTHON) frontend.py
	echo "Installing the pinned packages into $(VENV): a few minutes, once."
	$(PIP) install --constraint constraints.txt --editable '.[models]'
	touch $@

# torchvision and timm are witnesses for the numbers of our models: they must not choose the torch that measures.
$(VENV)/.test: $(VENV)/.site
	echo "Installing what the tests need."
	$(PIP) install --constraint constraints.txt --editable '.[models,test]'
	$(PIP) install --constraint constraints.txt --no-deps torchvision timm
	touch $@

$(BIN)/python:
	if [ -z "$(PYTHON)" ]; then \
		echo "Python 3.11 or newer is missing. Debian: apt-get install python3 python3-venv; others: https://www.python.org" >&2; \
		exit 1; \
	fi
	$(PYTHON) -m venv $(VENV) || { \
		rm -rf $(VENV); \
		echo "Python's venv is missing. Debian: apt-get install python3-venv" >&2; \
		exit 1; \
	}
