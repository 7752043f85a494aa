# `make demo` and `make test` need Python 3.11 or later and make; they set up .venv themselves.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Two BLAS threads on a busy machine wait for each other longer than they work.
export OPENBLAS_NUM_THREADS = 1

# The folder of MNIST's four IDX files, for `make digits MNIST=...`.
MNIST ?=

# How many right gradients `make soak` draws.
N ?= 100000

.PHONY: help demo page browser digits idioms zoo mistakes soak test coverage lint clean
.DEFAULT_GOAL := help

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.installed ## the documents' gradients by hand, by JAX and by finite differences
	@$(BIN)/gradcheck demo

page: $(VENV)/.installed ## the same as one page, page.html, with formulas and figures
	@$(BIN)/gradcheck demo --html page.html

digits: $(VENV)/.digits ## what 30 hidden units read (all of MNIST: make digits MNIST=folder)
ifeq ($(MNIST),)
	@$(BIN)/gradcheck digits --data scikit-learn
	@$(BIN)/gradcheck digits --data mnist-sample
else
	@$(BIN)/gradcheck digits --mnist "$(MNIST)"
endif

idioms: $(VENV)/.test ## which NumPy idioms can be recorded and differentiated
	@$(BIN)/python -m benchmarks.idioms

zoo: $(VENV)/.test ## 106 layers in eleven conventions, right and wrong, and what was found
	@$(BIN)/python -m tests.zoo

mistakes: $(VENV)/.test ## 93 mistakes in the two-layer network, in four layouts, and what was found
	@$(BIN)/python -m properties.mistakes

soak: $(VENV)/.test ## N=100000 random claims: none that is right accused, none that is wrong passed
	@$(BIN)/python -m benchmarks.soak $(N)

# The tests ask JAX for the same small programs over and over: XLA compiles each of them once.
test coverage: export JAX_COMPILATION_CACHE_DIR = $(abspath $(VENV))/jax
test coverage: export JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS = 0
test coverage: export JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES = -1

test: $(VENV)/.test ## all tests and all properties
	$(BIN)/python -m pytest -n 2 --dist worksteal properties tests

browser: $(VENV)/.test ## the pages in a real Chromium, with axe-core from npm
	npm install --silent --no-save --prefix .node axe-core@4
	$(BIN)/python -m pytest -n 0 tests/test_browser.py

coverage: $(VENV)/.test ## the tests, and which lines and branches they run
	$(BIN)/python -m pytest -n 2 --dist worksteal tests --cov --cov-report=term

lint: $(VENV)/.lint ## ruff and pyright
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

clean: ## remove what these commands made
	rm -rf $(VENV) .node page.html .pytest_cache .ruff_cache .hypothesis .coverage

$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and f"Python 3.11 or later is needed, $(PYTHON) is {sys.version.split()[0]}: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.digits: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[digits]'
	@touch $@

$(VENV)/.test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group test
	@touch $@

$(VENV)/.lint: $(VENV)/.test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group lint
	@touch $@
