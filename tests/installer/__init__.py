"""The installer with real environments and in real hosts."""
