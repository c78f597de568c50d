#!/usr/bin/env bash
# Install claudiad into .venv beside this file.
#
#   ./install.sh            with what it runs on
#   ./install.sh --robot    also the SDK that a real Go2 is commanded with (docs/go2.md)
#
# Run it again at any time: what is there is left alone, what is missing or out of date is brought in. PYTHON= names
# the interpreter (3.11 or later). Nothing is written outside this folder but Debian packages, each named when it is
# installed. Ends with 69 and says what to do when something cannot be had.
set -euo pipefail
cd "$(dirname "$0")"

say() { printf '%s\n' "$*"; }

usage() { sed -n '2,/^set -e/s/^# \{0,1\}//p' "$0"; }

robot=false
for argument in "$@"; do
    case $argument in
        --robot) robot=true ;;
        -h | --help)
            usage
            exit 0
            ;;
        *)
            say "install.sh: $argument: unknown; usage: ./install.sh [--robot] [--help]" >&2
            exit 64
            ;;
    esac
done

scripts/venv demo
scripts/system-packages demo
if $robot; then scripts/robot-sdk; fi

.venv/bin/claudiad check-config claudiad.example.toml >/dev/null

say "claudiad is installed. Next, in $PWD:"
say "  .venv/bin/claudiad demo                                     a conversation with the simulator"
say "  .venv/bin/claudiad check-config --example > claudiad.toml   every setting explained; keep what you change"
say "  .venv/bin/claudiad run --config claudiad.toml"
if $robot; then
    say "For the Go2, before it runs, under [robot] of claudiad.toml:"
    say "  engine = \"go2\""
    say "  interface = \"…\"   the network interface it is on; here are: $(
        .venv/bin/python -c 'from claudiad.robot.interface import names; print(", ".join(names()))'
    )"
    say "Give the robot room and keep its remote control at hand. Which Go2 can be commanded, and more: docs/go2.md"
fi
