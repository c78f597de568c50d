"""The control socket: its language, where it lies, the server in the daemon. `claudiactl` shares the first two."""
