# The few commands of this repository. `make help` lists them.

SHELL := /bin/sh
.DEFAULT_GOAL := help

# Any Python from 3.11 on; 3.12 first, because Lambda runs it.
PYTHON ?= $(shell for python in python3.12 python3.13 python3.14 python3.11 python3 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
VENV := .venv/bin
# Named after the requirements' content: a change of theirs, and only that, installs again.
INSTALLED := .venv/installed-$(shell cat requirements.txt requirements-dev.txt | cksum | cut -d' ' -f1)

PORT ?= 8092
AWS_PORT ?= 4566
WECHAT_PORT ?= 8091

.PHONY: help run demo token test check prove calendar audit engines package bench stampede docs clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(INSTALLED) ## the whole product on this machine, until Ctrl-C (PORT, AWS_PORT, WECHAT_PORT)
	@$(VENV)/python -m local --port $(PORT) --aws-port $(AWS_PORT) --wechat-port $(WECHAT_PORT)

demo: $(INSTALLED) ## play the stories of the masks and the gate against a running `make run`
	@$(VENV)/python -m local.story --port $(PORT) --aws-port $(AWS_PORT) --wechat-port $(WECHAT_PORT)

PERSON ?= li-ju
token: $(INSTALLED) ## log in as a demo person (PERSON=li-ju) and print the session token
	@$(VENV)/python -m local.phone $(PERSON) --port $(PORT) --wechat-port $(WECHAT_PORT)

test: check ## everything CI runs
	$(VENV)/pytest --numprocesses=auto --maxprocesses=4 --dist=loadfile --no-loadscope-reorder

STORIES ?= 400
prove: $(INSTALLED) ## whatever happens to points, goods and shifts, against models (STORIES, of 60 steps each); every way to fail
	PROVE=$(STORIES) $(VENV)/pytest tests/proof
	PROVE=1 $(VENV)/pytest --numprocesses=auto --maxprocesses=4 --dist=loadfile tests/faults tests/*/test_every_call_fails.py

MOMENTS ?=
calendar: $(INSTALLED) ## the tests as if it were New Year, a leap day, a month's last minutes … (MOMENTS, by name)
	@mkdir -p .local && $(VENV)/python -m tests.calendar $(MOMENTS)

audit: $(INSTALLED) ## against a running `make run`: does every balance equal the sum of its transfers?
	@$(VENV)/python -m local.audit --aws-port $(AWS_PORT)

engines: $(INSTALLED) ## the second DynamoDB for tests and benchmarks, fetched by npm (optional)
	@$(VENV)/python -m local.engines

check: $(INSTALLED) ## format, lint, types, import arrows, templates of three Regions
	$(VENV)/ruff format --check .
	$(VENV)/ruff check .
	$(VENV)/mypy
	$(VENV)/lint-imports
	$(VENV)/python -m local.packaging --for this-machine
	$(VENV)/cfn-lint --regions us-east-1 cn-north-1 cn-northwest-1 -- build/package-local/template.yaml
	$(VENV)/python -m local.openapi --check
	$(VENV)/python -m local.table_doc --check
	$(VENV)/python -m local.rooms_doc --check

package: $(INSTALLED) ## what is deployed to AWS, into build/package
	@$(VENV)/python -m local.packaging

docs: $(INSTALLED) ## write docs/openapi.json and docs/table.md from the code
	$(VENV)/python -m local.openapi
	$(VENV)/python -m local.table_doc
	$(VENV)/python -m local.rooms_doc

bench: $(INSTALLED) ## the benchmarks, each printing a table
	$(VENV)/python -m bench.cold_start
	$(VENV)/python -m bench.requests

stampede: $(INSTALLED) ## 20,000 people for 9,000 masks, 2,000 for 100 places on a shift, on each engine; and DynamoDB's partitions
	$(VENV)/python -m bench.stampede
	$(VENV)/python -m bench.signup_rush
	$(VENV)/python -m bench.partitions

clean: ## forget the local data and everything built; the environment in .venv stays
	rm -rf .local .pytest_tmp build

$(INSTALLED):
	@test -n "$(PYTHON)" || { echo "需要 Python 3.11 或更高版本，请先安装。 Python 3.11 or newer is needed: please install it." >&2; exit 1; }
	@test -x $(VENV)/python || $(PYTHON) -m venv .venv || { rm -rf .venv; \
		echo "不能建立 .venv：请安装 python3-venv。 Cannot make .venv: on Debian and Ubuntu, install python3-venv." >&2; exit 1; }
	@echo "安装依赖（约一分钟，只在需求变动后）… Installing requirements (a minute, only after they changed) …"
	@$(VENV)/python -m pip install -qq --disable-pip-version-check -r requirements-dev.txt
	@rm -f .venv/installed-* && touch $@
