# Each target makes .venv and installs into it on first use, and is instant afterwards.
#   make reproduce PAPERS="nzsp latp mof peo" FIDELITY=quick OUT=results
# No root is needed, and no network beyond what pip is set up to use.

PAPERS   ?= nzsp latp mof peo
FIDELITY ?= quick
OUT      ?= results
ARGS     ?=
VENV     ?= .venv
PYTHON   ?=

TORCH := torch==2.13.0
BIN   := $(VENV)/bin
STAMP := $(VENV)/.installed
BEGUN := $(VENV)/.installing
DOCS  := $(VENV)/.installed-docs
PIP   := $(BIN)/python -m pip --disable-pip-version-check --no-input

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install reproduce test test-slow lint docs lock clean

help:
	@echo 'make install      make $(VENV) and install superionic into it (Python >= 3.11; PYTHON=... chooses one)'
	@echo 'make reproduce    redraw the papers: PAPERS="nzsp latp mof peo" FIDELITY=quick|standard OUT=results'
	@echo 'make test         the quick tests, minutes on two cores (ARGS="-k slab" are handed to pytest)'
	@echo 'make test-slow    all tests'
	@echo 'make lint         ruff check, ruff format --check, mypy --strict on the library, the tests and the benchmarks'
	@echo 'make docs         build the documentation into build/site'
	@echo 'make lock         write both lock files anew from pyproject.toml (UPGRADE=--upgrade moves the pins)'
	@echo 'make clean        remove caches and build output; keeps $(VENV) and results'

install: $(STAMP)

reproduce: $(STAMP)
	@$(BIN)/superionic reproduce $(PAPERS) --fidelity $(FIDELITY) --out "$(OUT)"

# One test process a core, one thread each; ARGS="-n 0" runs them in one process.
test: $(STAMP)
	@OMP_NUM_THREADS=1 $(BIN)/pytest -n auto --dist loadfile $(ARGS)

test-slow: $(STAMP)
	@OMP_NUM_THREADS=1 $(BIN)/pytest -n auto --dist loadfile -m "" $(ARGS)

lint: $(STAMP)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy --strict -p superionic
	@MYPYPATH=tests/helpers:tests/workflows $(BIN)/mypy --strict --explicit-package-bases tests benchmarks

docs: $(DOCS)
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo build/site/index.html

# What the tools of the documentation share with requirements.lock has the same version there.
$(DOCS): $(STAMP) requirements-docs.lock
	$(PIP) install --no-deps --require-hashes -r requirements-docs.lock
	@touch $(DOCS)

# An installation that was interrupted leaves $(BEGUN) behind: the next one starts from nothing.
# torch goes first and by itself, so that pip (and the user's settings for it) choose its build;
# the lock then holds everything else, and nothing is resolved.
$(STAMP): pyproject.toml requirements.lock
	@rm -f $(STAMP)
	@if [ -e $(BEGUN) ] || ! $(BIN)/python -c '' 2>/dev/null; then \
	  python=`$(FIND_PYTHON)` && "$$python" -m venv --clear $(VENV); \
	fi
	@touch $(BEGUN)
	$(PIP) install $(TORCH)
	$(PIP) install --no-deps --require-hashes -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	@rm -f $(BEGUN)
	@touch $(STAMP)

# Python 3.11 and 3.12 come first: for newer ones chgnet is compiled during the installation.
define FIND_PYTHON
accept() { "$$1" -c "import ensurepip, sys, venv; sys.exit(not $$2 <= sys.version_info[:2] < $$3)" 2>/dev/null; }; \
if [ -n "$(PYTHON)" ]; then \
  accept "$(PYTHON)" "(3, 11)" "(4, 0)" && { echo "$(PYTHON)"; exit 0; }; \
  echo "make: PYTHON=$(PYTHON) is not a Python 3.11 or newer with venv and ensurepip." >&2; exit 1; \
fi; \
for p in python3 python3.12 python3.11; do accept $$p "(3, 11)" "(3, 13)" && { echo $$p; exit 0; }; done; \
for p in python3 python3.14 python3.13; do accept $$p "(3, 13)" "(3, 15)" && { echo $$p; exit 0; }; done; \
echo "make: no Python 3.11 to 3.14 with venv and ensurepip was found on the PATH." >&2; \
echo "Install one (Debian and Ubuntu: python3-venv too), or name it: make install PYTHON=/path/to/python3.12" >&2; \
exit 1
endef

lock: $(STAMP)
	$(PIP) install --quiet uv
	@mkdir -p build && echo torch > build/left-out.txt && echo filelock > build/torch-needs.in
	$(BIN)/uv pip compile pyproject.toml build/torch-needs.in --group dev --excludes build/left-out.txt \
	  --universal --python-version 3.11 --fork-strategy fewest --generate-hashes --no-annotate \
	  --custom-compile-command "make lock" --quiet $(UPGRADE) -o requirements.lock
	$(BIN)/uv pip compile --group docs --constraint requirements.lock --universal --python-version 3.11 \
	  --fork-strategy fewest --generate-hashes --no-annotate --custom-compile-command "make lock" \
	  --quiet $(UPGRADE) -o requirements-docs.lock

clean:
	rm -rf build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage
	find analysis inputs structures workflows tests benchmarks examples -name __pycache__ -prune -exec rm -rf {} +
