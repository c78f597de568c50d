"""`python -m claudiad` is the command `claudiad`."""

from __future__ import annotations

import sys

from claudiad.app.cli import main

sys.exit(main())
