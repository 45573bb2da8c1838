"""The core, the command and the worker against the service's twin, by real HTTP on loopback."""
