# Every target works on a fresh clone: what it needs is made first. With no POSTGRES_HOST, in the environment or in
# .env, the project uses a private PostgreSQL of its own under .local/.

VENV ?= .venv
SYSTEM_PYTHON ?= python3
PYTHON := $(VENV)/bin/python
MANAGE := $(PYTHON) manage.py
REQUIREMENTS := requirements.txt requirements-test.txt requirements-dev.txt requirements-docs.txt requirements-embedded.txt
INSTALLED := $(VENV)/.installed
LOCK := $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make requirements"
PORT ?= 8000
SIZE ?= 2000 20000
ROUNDS ?= 3

.DEFAULT_GOAL := help
.PHONY: help install migrate run-pipeline check-warehouse source web superuser test test-all test-large test-docker \
	test-citus bench bench-citus docs format lint lineage lint-aws audit stop clean requirements

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1|\2/' | \
		while IFS='|' read -r target text; do printf '%-16s %s\n' "$$target" "$$text"; done

install: $(INSTALLED) ## Make the virtual environment with everything in it

$(INSTALLED): $(REQUIREMENTS)
	@$(SYSTEM_PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: name it with make SYSTEM_PYTHON=...")'
	@echo "installing the dependencies into $(VENV)"
	@$(PYTHON) -m pip --version >/dev/null 2>&1 || $(SYSTEM_PYTHON) -m venv --clear $(VENV)
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes $(addprefix -r ,$(REQUIREMENTS))
	@touch $@

migrate: $(INSTALLED) ## Create the project's databases where they are missing and bring them up to date
	@$(MANAGE) prepare_databases

run-pipeline: migrate ## Run the whole pipeline; options in ARGS="--full-refresh"
	@$(MANAGE) run_pipeline $(ARGS)

check-warehouse: $(INSTALLED) ## Prove in SQL that the warehouse keeps its promises
	@$(MANAGE) check_warehouse

web: migrate ## Serve the site on http://localhost:8000 (PORT=...), and start the runs that are asked for there
	@$(MANAGE) run_requests & worker=$$!; $(MANAGE) runserver --noreload $(PORT) & site=$$!; \
		trap 'kill $$worker $$site 2>/dev/null; wait' EXIT; trap exit INT TERM; wait $$site

source: $(INSTALLED) ## Load msk_db.sql, or else the sample, as the source; the old one stays if that fails
	@$(MANAGE) load_source

superuser: migrate ## Make a user who may do everything
	@$(MANAGE) createsuperuser

test: $(INSTALLED) ## Run the tests of the pipeline, some minutes, or those that ARGS="-k slugs" picks of all
	@$(PYTHON) -m pytest --numprocesses auto --dist worksteal $(or $(ARGS),--quick)

test-all: $(INSTALLED) ## Run every test but the large ones: the site and a browser as well, processes that are killed
	@$(PYTHON) -m pytest --numprocesses auto --dist worksteal $(ARGS)

test-large: $(INSTALLED) ## Compare the star with an independent recomputation: of 20,000 patients, and after many changes
	@$(PYTHON) -m pytest -m large --numprocesses 2 --dist worksteal $(ARGS)

test-docker: ## Try the whole story in Docker: up, pipeline, counts, reload, down
	@tests/docker.sh

test-citus: $(INSTALLED) ## Compare a warehouse on the servers CITUS_HOST, CITUS_PORT, CITUS_WORKERS="host:port ..." with a plain one
	@if [ -z "$(CITUS_HOST)" ]; then echo "skipped: CITUS_HOST names no coordinator"; else \
		POSTGRES_HOST=$(CITUS_HOST) POSTGRES_PORT=$(or $(CITUS_PORT),5432) POSTGRES_USER=$(or $(CITUS_USER),postgres) \
		CITUS_WORKERS="$(CITUS_WORKERS)" $(PYTHON) -m pytest -m citus tests/citus $(ARGS); fi

bench: $(INSTALLED) ## Time the pipeline against the floor; SIZE="2000 20000" patients, ROUNDS=3, CASES="hour back"
	@$(PYTHON) -m bench --patients $(SIZE) --rounds $(ROUNDS) $(if $(CASES),--cases $(CASES))
	@$(PYTHON) -m bench.covid
	@$(PYTHON) -m bench.slugs
	@$(PYTHON) -m bench.pages
	@$(PYTHON) -m bench.exports

bench-citus: $(INSTALLED) ## Time runs into a distributed warehouse beside a plain one, on the servers of make test-citus
	@if [ -z "$(CITUS_HOST)" ]; then echo "skipped: CITUS_HOST names no coordinator"; else \
		POSTGRES_HOST=$(CITUS_HOST) POSTGRES_PORT=$(or $(CITUS_PORT),5432) POSTGRES_USER=$(or $(CITUS_USER),postgres) \
		CITUS_WORKERS="$(CITUS_WORKERS)" $(PYTHON) -m bench.citus --rounds $(ROUNDS); fi

docs: migrate ## Renew what is made of the documentation, and build its site into .build/site; EXAMPLES=1 with the sample's rows
	@$(MANAGE) shell --verbosity 0 --command \
		"from handbook.assemble import assemble, renew; renew(); assemble(examples='$(EXAMPLES)' == '1')"
	@NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict --config-file handbook/mkdocs.yml

format: $(INSTALLED) ## Format the code
	@$(VENV)/bin/ruff format .
	@$(VENV)/bin/ruff check --fix .

lint: $(INSTALLED) ## Check format, style, types, imports, SQL, shell, Dockerfile and workflow
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy .
	$(VENV)/bin/lint-imports --no-cache --no-logo
	$(VENV)/bin/sqlfluff lint analytics/*.sql analytics/dictionary bench
	$(VENV)/bin/sqlfluff lint --templater placeholder ingest/covid/sql ingest/msk/sql analytics/exports analytics/loads/sql analytics/pages
	$(VENV)/bin/shellcheck crontab.sh entrypoint.sh init-db.sh tests/docker.sh deploy/aws/deploy.sh .ci/audit .ci/run .ci/tag
	$(VENV)/bin/hadolint Dockerfile
	$(VENV)/bin/jactionlint --shellcheck=$(abspath $(VENV)/bin/shellcheck)
	$(VENV)/bin/zizmor --offline --no-progress --quiet --pedantic .github/workflows
	$(PYTHON) -W "ignore:Got an error checking:RuntimeWarning" manage.py makemigrations --check --dry-run

# In .build/, not in .local/, whose files prove_erased searches for patients.
lint-aws: .build/aws/.installed ## Check the template of deploy/aws: what CloudFormation would take, and what is unsafe
	.build/aws/bin/cfn-lint deploy/aws/warehouse.yaml
	LOG_LEVEL=ERROR .build/aws/bin/checkov --quiet --compact --skip-download --framework cloudformation \
		--file deploy/aws/warehouse.yaml

.build/aws/.installed: requirements-aws.txt $(INSTALLED)
	@$(VENV)/bin/uv venv --quiet --clear --python $(PYTHON) .build/aws
	@$(VENV)/bin/uv pip install --quiet --python .build/aws/bin/python --require-hashes --requirement $<
	@touch $@

lineage: migrate ## Work out anew from the SQL of which columns each column is made
	@$(MANAGE) shell --verbosity 0 --command "from analytics.dictionary import trace; trace.write()"
	@echo "analytics/dictionary/lineage.json is what the SQL says"

audit: $(INSTALLED) ## Look the dependencies up among the known vulnerabilities
	@.ci/audit $(VENV)/bin $(REQUIREMENTS)

stop: ## Stop the embedded PostgreSQL
	@test ! -x $(PYTHON) || $(PYTHON) -m pipeline_project.embedded

clean: stop ## Remove what was made locally: databases, virtual environment, caches
	rm -rf .build .local $(VENV) .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

requirements: $(INSTALLED) ## Pin the dependencies of pyproject.toml anew
	$(LOCK) pyproject.toml --output-file requirements.txt
	$(LOCK) --group test --constraint requirements.txt --output-file requirements-test.txt
	$(LOCK) --group dev --constraint requirements-test.txt --constraint requirements.txt \
		--output-file requirements-dev.txt
	$(LOCK) --group docs --constraint requirements-dev.txt --constraint requirements.txt --output-file requirements-docs.txt
	$(LOCK) --group embedded --constraint requirements-dev.txt --output-file requirements-embedded.txt
	$(LOCK) --group aws --output-file requirements-aws.txt
