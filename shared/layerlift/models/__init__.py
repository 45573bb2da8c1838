"""The models of the offline engine: where they come from, and how they are run."""
