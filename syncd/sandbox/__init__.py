"""A local Focus API to try syncd on: real HTTP, its own storage, quota, and faults on request."""
