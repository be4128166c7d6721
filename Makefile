# make lesson   the ResNet lesson, run from end to end (a minute after the install)
# make test     everything that CI runs: make unit, make backends and make lessons
# make backends the part of it that runs training, losses and gradients on JAX, and PyTorch with TORCH=torch
# make lab      JupyterLab on the notebooks
# make notebooks  re-execute every notebook and store its outputs (NOTEBOOKS="notebooks/07*" for one)
# make plan     works on the runs that the project wants (MINUTES=120); needs the whole data sets
# make clean    take away what the above made, and keep data and stored outputs
PYTHON    ?= python3
VENV      ?= .venv
BIN       := $(VENV)/bin
LESSON    ?= notebooks/07_resnet_v1.ipynb
NOTEBOOKS ?= notebooks/[0-9]*.ipynb
# PyTorch is tested where this names it: make test TORCH=torch
TORCH     ?=
comma     := ,
BACKENDS  := tensorflow,jax$(if $(TORCH),$(comma)torch)
# what must hold on every backend, not on TensorFlow alone
NEUTRAL   := tests/test_train.py tests/test_recipe.py tests/test_loss_weights.py tests/test_gradients.py
# JAX compiles many small nets there: quickly is better than well
QUICK     := XLA_FLAGS="--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
MINUTES   ?= 120
export TF_CPP_MIN_LOG_LEVEL ?= 3

.PHONY: help lesson test unit backends lessons tools lab notebooks plan clean
.NOTPARALLEL:

help:
	@sed -n 's/^# make/make/p' Makefile

lesson: $(VENV)/notebooks.done
	$(BIN)/python notebooks/execute.py --folder notebooks/_lesson $(LESSON)

lab: $(VENV)/notebooks.done
	$(BIN)/jupyter lab notebooks

notebooks: $(VENV)/notebooks.done
	$(BIN)/python notebooks/execute.py $(NOTEBOOKS)

test: unit backends lessons

unit: tools
	$(QUICK) KERAS_CASES_BACKENDS=$(BACKENDS) $(BIN)/python -m pytest tests -n 2 --dist loadgroup

backends: tools
	for backend in jax $(if $(TORCH),torch); do \
	    $(QUICK) KERAS_BACKEND=$$backend $(BIN)/python -m pytest $(NEUTRAL) -n 2 --dist loadgroup -q \
	    || exit 1; done

lessons: tools
	$(BIN)/python -m pytest notebooks --nbval --nbval-current-env --nbval-cell-timeout 600 \
	    --nbval-sanitize-with tests/nbval_sanitize.cfg -n 2 --dist loadscope

tools: $(VENV)/test.done
	$(if $(TORCH),$(BIN)/python -m pip install --quiet "$(TORCH)")

plan: $(VENV)/notebooks.done
	OMP_NUM_THREADS=1 $(BIN)/python -m keras_cases.train --plan --minutes $(MINUTES)

$(VENV)/notebooks.done: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	@echo "Installing TensorFlow, Keras and Jupyter into $(VENV): a few minutes on a slow network"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[notebooks]"
	@touch $@

$(VENV)/test.done: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	@echo "Installing TensorFlow, Keras, JAX and the test tools into $(VENV)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[notebooks,test,jax]"
	@touch $@ $(VENV)/notebooks.done

clean:
	rm -rf $(VENV) notebooks/_lesson runs notebooks/runs build dist .pytest_cache .jax_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
