"""Hearing: faster-whisper with the encoder window cut to the utterance, and what not to believe."""
