"""`python -m claudiad.go2sim`."""

import sys

from claudiad.go2sim.cli import main

sys.exit(main())
