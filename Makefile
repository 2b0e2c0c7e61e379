# make run   a first look: a copy of the sample bank (or BANK=path: that bank itself) and the daemon on it
# make test  everything that must hold: lint, types, tests
# make bench the figures, measured against the floor in the same run (BENCH=--quick: in two minutes)
# make prove the campaigns that try to break it, an hour (PART=races: that one; PROVE_SCALE=0.1: a tenth; SEED=2)
# make machine builds a small Debian with a real systemd, for the service's part of the proof (root; debootstrap)
# make clean removes what the others made

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SCRATCH := scratch/memory-bank
BANK ?= $(SCRATCH)
PROVE_SCALE ?= 1
SEED ?= 1
# A run that hangs is a failure too; macOS has no timeout(1).
LIMIT := $(shell command -v timeout >/dev/null 2>&1 && echo timeout 1080)

.PHONY: run test bench prove machine clean

run: $(VENV)/ready
	@if [ "$(BANK)" = "$(SCRATCH)" ] && [ ! -d "$(SCRATCH)" ]; then mkdir -p scratch && cp -R syncd/sample "$(SCRATCH)"; fi
	@if [ ! -e "$(BANK)/.syncd/memory_bank.db" ]; then $(BIN)/syncd init --bank "$(BANK)"; fi
	@printf '%s\n' "" "The daemon starts. In another terminal:" "" \
	  "  edit a document in $(BANK) with any editor and save it, then see what was absorbed:" \
	  "    $(BIN)/syncd log --bank $(BANK)" \
	  "  change a row with any SQLite client, then look at the files:" \
	  "    sqlite3 $(BANK)/.syncd/memory_bank.db \"UPDATE tasks SET status = 'completed' WHERE id = 'T3'\"" \
	  "  ask how it is:" \
	  "    $(BIN)/syncd status --bank $(BANK)" "" "Ctrl-C stops it." ""
	@$(BIN)/syncd run --bank "$(BANK)"; code=$$?; [ $$code -eq 130 ] || exit $$code

test: $(VENV)/ready-dev
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(LIMIT) $(BIN)/python -m pytest -n auto -q

bench: $(VENV)/ready-dev
	$(BIN)/python -m bench $(BENCH)

prove: $(VENV)/ready-dev
	$(BIN)/python -m prove --scale $(PROVE_SCALE) --seed $(SEED) $(if $(PART),--part $(PART))

machine: $(VENV)/ready-dev
	$(BIN)/python -m prove.machine

clean:
	rm -rf $(VENV) scratch build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or later is needed; name one with make PYTHON=…")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/ready-dev: $(VENV)/ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@# The CommonMark examples are in mistletoe's source distribution; the tests over them are skipped without it.
	@$(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: -d .cache mistletoe \
	  || echo "no CommonMark examples: the tests over them will be skipped"
	@touch $@
