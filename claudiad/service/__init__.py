"""What a daemon owes the machine it runs on: the audit log; later the service manager, journal and metrics."""
