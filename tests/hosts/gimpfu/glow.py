#!/usr/bin/env python3
from gimpfu import *


def glow(image, layer, opacity):
    image.undo_group_start()
    copy = layer.copy()
    image.insert_layer(copy)
    copy.mode, copy.opacity = LAYER_MODE_SCREEN, opacity
    image.undo_group_end()


ABOUT = ("Let a layer glow", "Lay a copy over the layer that lightens it", "Ada", "Ada", "2026")
OPACITY = (PF_SLIDER, "opacity", "_Opacity", 50.0, (0, 100, 1))
register("glow", *ABOUT, "<Image>/Filters/Light and Shadow/_Glow...", "RGB*", [OPACITY], [], glow)
main()
