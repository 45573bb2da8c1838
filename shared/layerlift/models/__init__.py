"""The models of the offline engine: which there are, where they come from, and how they are run."""
