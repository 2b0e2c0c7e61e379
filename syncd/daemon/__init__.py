"""The daemon: what wakes it, the banks it serves, whom it tells, and how it is asked."""
