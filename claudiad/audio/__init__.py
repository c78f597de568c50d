"""Sound in and out: microphones, speakers, WAV, resampling, and where an utterance begins and ends."""
