"""The Go2 itself: unitree_sdk2py's messages over CycloneDDS. Imported only where `robot.engine = "go2"` is chosen."""
