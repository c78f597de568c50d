"""What libraries do on their own account: nothing is sent, nothing is left in the home."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OURS = ("ORT_DISABLE_TELEMETRY", "HF_HUB_DISABLE_TELEMETRY")


def test_nothing_is_kept_in_the_home(tmp_path: Path) -> None:
    """ONNX Runtime would leave a device id and a queue of what it means to send."""
    env = {name: value for name, value in os.environ.items() if name not in OURS and not name.startswith("XDG_")}
    command = [sys.executable, "-m", "claudiad", "ask", "--no-llm", "立って"]
    subprocess.run(command, cwd=ROOT, env=env | {"HOME": str(tmp_path)}, check=True, timeout=120)
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")] == []
