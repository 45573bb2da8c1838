"""Jobs and progress as JSON lines between a host's plug-in and the core: `python -m layerlift.worker`."""
