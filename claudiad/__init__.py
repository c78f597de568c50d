"""claudiad: the voice of a robot dog."""

import os

__version__ = "0.1.0"

# Nothing leaves this computer unasked. ONNX Runtime, which comes with Whisper and Piper, sends its maker figures about
# the computer and keeps an id in the home, unless it is told not to before it is imported. Hugging Face's client too.
for _name in ("ORT_DISABLE_TELEMETRY", "HF_HUB_DISABLE_TELEMETRY"):
    os.environ.setdefault(_name, "1")
