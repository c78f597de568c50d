"""claudiad beside RealtimeSTT, on the same audio: how soon the words are final, and how often they are cut."""
