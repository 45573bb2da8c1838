"""The `layerlift` command."""
