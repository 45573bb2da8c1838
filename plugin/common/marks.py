"""What a cut-out is known by, also when its file is opened again: these names are in users' files, so they stay."""

LAYER_MARK, IMAGE_MARK = "layerlift-cut-out", "layerlift-image"
"""Where a host keeps data with layers: the mark of a cut-out names its image, by the image's mark, and its original. A
layer that is dragged to another image may have the number of another one there."""
DOCUMENT_MARKS = "layerlift-cut-outs"
"""Where a host keeps data with documents alone: a line for each cut-out, its id and that of its original."""
