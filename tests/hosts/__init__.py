"""Tests in real hosts."""
