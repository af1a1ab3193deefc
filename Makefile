.DEFAULT_GOAL := help
.PHONY: help setup demo test bench docs audit lint format clean
PYTHON := .venv/bin/python
export HF_HUB_OFFLINE := 1
export TOKENIZERS_PARALLELISM := false

help:  ## show the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

setup:  ## create .venv, or bring it up to date
	@bash scripts/bootstrap.sh

demo: setup  ## train MART on the embedded data set; writes demo_out/
	$(PYTHON) tools/demo.py

test: setup  ## run the tests
	OMP_NUM_THREADS=1 $(PYTHON) -m pytest -q -n 2 --dist loadfile

bench: setup  ## measure speed and memory; figures go to benchmarks/results
	$(PYTHON) benchmarks/run_all.py

docs: setup  ## build the documentation in docs/_build/html
	$(PYTHON) -m pip install --quiet --constraint constraints.txt --requirement requirements/docs.txt
	$(PYTHON) -m sphinx -W --keep-going -b html docs docs/_build/html

audit:  ## ask for known vulnerabilities of the pinned versions; needs the network
	python3 -m venv build/audit
	build/audit/bin/pip install --quiet pip-audit
	build/audit/bin/pip-audit --strict --no-deps --disable-pip --requirement constraints.txt

lint: setup  ## check style
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

format: setup  ## mend style
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

clean:  ## remove the environment and all outputs
	rm -rf .venv build dist *.egg-info work_dirs demo_out data/planted .pytest_cache .ruff_cache
