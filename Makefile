# Each target sets up what it needs: a virtual environment in $(VENV), made once.
#   make PYTHON=/path/to/python3.11 test    uses a Python of your choice
#   make VENV=/somewhere/else test          keeps the environment elsewhere
#   make TEST_PROCESSES=8 test              tests in so many processes, of up to 6 GB each

VENV ?= .venv
RUNS ?= runs/demo
TEST_PROCESSES ?= 2
TEST_PARTS := tests/larq_irnet tests/zoo tests/tflite_export tests/conformance \
	tests/test_docs.py tests/test_readme.py
SUITABLE := import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))
PYTHON ?= $(shell for python in python3 python3.12 python3.11 python3.10 python; do \
	$$python -c '$(SUITABLE)' 2>/dev/null && { command -v $$python; break; }; done)
RUN := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed
TORCH_INSTALLED := $(VENV)/.torch-installed
# Only tests and benchmarks compare with PyTorch; the version that they were run with.
TORCH := torch==2.13.0

.PHONY: demo test lint bench format install clean
.DEFAULT_GOAL := test

install: $(INSTALLED)

$(INSTALLED): setup.cfg pyproject.toml
	@test -n "$(PYTHON)" || { echo "error: expected Python 3.10, 3.11 or 3.12 (Larq \
	Compute Engine has no wheel for others), found none. Install one, or name it: \
	make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@"$(PYTHON)" -c '$(SUITABLE)' || { echo "error: expected Python 3.10, 3.11 or 3.12, \
	got $(PYTHON)" >&2; exit 1; }
	@echo "installing into $(VENV) (about 3 GB, a minute or two on a fast line)"
	@"$(PYTHON)" -m venv "$(VENV)" || { echo "error: $(PYTHON) cannot make a virtual \
	environment; on Debian and Ubuntu install python3-venv" >&2; exit 1; }
	$(RUN) -m pip install --quiet --disable-pip-version-check -e '.[all]'
	@touch $@

$(TORCH_INSTALLED): $(INSTALLED)
	$(RUN) -m pip install --quiet --disable-pip-version-check $(TORCH)
	@touch $@

# The main job: train four methods on real images, export IR-Net, prove, show.
demo: install
	@for method in float ste_sign irnet recu; do \
	  $(RUN) -m zoo.train --recipe=$${method}_resnet20_digits \
	    --workdir="$(RUNS)/$$method" || exit 1; done
	@$(RUN) -m tflite_export.export --workdir="$(RUNS)/irnet" \
	  --compare="$(RUNS)/float,$(RUNS)/ste_sign,$(RUNS)/recu"

# One run after the other: what XLA has compiled stays in memory until a process ends.
test: $(TORCH_INSTALLED)
	@failed=0; for part in $(TEST_PARTS); do \
	  echo "$$part"; $(RUN) -m pytest -n $(TEST_PROCESSES) --dist loadscope $$part \
	    || failed=1; done; exit $$failed

lint: $(TORCH_INSTALLED)
	$(RUN) -m black --check --quiet .
	$(RUN) -m isort --check --quiet .
	$(RUN) -m flake8
	$(RUN) -m mypy larq_irnet zoo tflite_export benchmarks tests

format: install
	$(RUN) -m black --quiet .
	$(RUN) -m isort --quiet .

bench: $(TORCH_INSTALLED)
	$(RUN) -m benchmarks

clean:
	rm -rf "$(VENV)" runs build *.egg-info .mypy_cache .pytest_cache .hypothesis
