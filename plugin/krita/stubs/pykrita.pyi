"""Types of the module that Krita's Python starts with, for mypy alone."""

def qt_major_version() -> int: ...  # from Krita 6 on
