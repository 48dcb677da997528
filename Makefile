# Every way of working in one line each. `make demo` and `make test` set everything up by themselves; a second call takes seconds.
SHELL := /bin/sh
VENV := .venv/bin
WITH_ALL := -m "not external"
# Quick tests leave out what needs a browser, Java or minutes.
QUICK := -m "not conformance and not browser and not faults and not external"
# Two processes: every one has a database of its own. Each begins with its half, the long tests first, and takes from the other what
# that has not come to yet.
JOBS ?= 2
SHARED := -n $(JOBS) --dist worksteal

.PHONY: bench bench-growth mutations help prepare setup demo serve test faults test-all test-external check format lock messages walk verify sbom clean
help:
	@echo "make demo           set up, load the demo data, start, print addresses and sign-ins"
	@echo "make test           the quick tests; make test-all: all of them; make test-external: against Debian's PostgreSQL 15"
	@echo "make mutations      takes one guard after the other out of a copy and wants its tests red"
	@echo "make faults         thirty rounds of kill -9 in the middle of the walk (CI: five)"
	@echo "make check          style, types, contracts, templates, texts, migrations, security, lock files"
	@echo "make walk           one application all the way, over HTTP, with evidence"
	@echo "make walk ARGS=--accession   a new town joins, from its inquiry to its first invoice"
	@echo "make setup          everything but the data; make format, make lock, make messages, make verify, make clean"

prepare:
	@tools/prepare.sh

setup: prepare
	@$(VENV)/verbund setup

demo: prepare
	@$(VENV)/verbund demo $(ARGS)

serve: setup
	@$(VENV)/verbund serve

messages: prepare
	@mkdir -p var
	@$(VENV)/python tools/messages.py compile

test: messages
	@$(VENV)/pytest -q $(SHARED) $(QUICK) $(ARGS)

test-all: messages
	@$(VENV)/pytest -q $(SHARED) $(WITH_ALL) $(ARGS)

faults: messages
	@VERBUND_FAULT_ROUNDS=$${VERBUND_FAULT_ROUNDS:-30} $(VENV)/pytest -q -s -m faults $(ARGS)

mutations: messages
	@$(VENV)/python tools/mutations.py $(ARGS)

test-external: messages
	@tools/postgresql15.sh $(VENV)/pytest -q $(SHARED) -m "not conformance and not browser and not faults" $(ARGS)

check: messages
	@tools/check.sh

format: prepare
	@$(VENV)/ruff check -q --fix-only src tests tools || true
	@$(VENV)/ruff format src tests tools conftest.py

walk: prepare
	@$(VENV)/verbund walk $(ARGS)

bench: prepare
	@$(VENV)/python -m benchmarks $(ARGS)

bench-growth: prepare
	@$(VENV)/python -m benchmarks.growth $(ARGS)

verify: prepare
	@$(VENV)/verbund verify $(ARGS)

sbom: prepare
	@$(VENV)/python tools/sbom.py

lock: prepare
	@tools/lock.sh

clean:
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build dist
