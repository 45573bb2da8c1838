"""Removals that meet every fault and death at every step."""
