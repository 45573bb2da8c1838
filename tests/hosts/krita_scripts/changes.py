"""What a user may do to a document while one of its layers is worked on."""

from layerlift_driver.scripting import activate, close, k, later, new_document, paint, settle
from removals import DARK, buttons, krita_asks


def nothing(document, layer):
    yield None


def another_document_is_active(document, layer):
    yield from new_document(64, 64)


def painted_on(document, layer):
    yield from paint(document, layer, DARK * 400, 100, 80, 20, 20)


def moved(document, layer):
    yield from _move(document, layer)


def put_into_a_group(document, layer):
    yield from _group(document, layer)


def put_into_a_group_that_moves(document, layer):
    group = yield from _group(document, layer)
    yield from _move(document, group)


def deleted(document, layer):
    k.action("remove_layer").trigger()
    yield lambda: layer.uniqueId() not in [node.uniqueId() for node in document.topLevelNodes()]
    yield from settle(document)


def closed(document, layer):
    yield from close(document)


def closed_after_a_question(document, layer):
    document.setBatchmode(False)
    document.setModified(True)
    later(k.action("file_close").trigger)
    yield krita_asks
    buttons(krita_asks)["No"].click()
    yield lambda: document not in k.documents()


def resized(document, layer):
    document.resizeImage(-10, -10, document.width() + 20, document.height() + 20)
    yield from settle(document)


def cropped(document, layer):
    document.crop(10, 10, document.width() - 20, document.height() - 20)
    yield from settle(document)


def converted(document, layer):
    document.setColorSpace("RGBA", "U16", "sRGB-elle-V2-g10.icc")
    yield from settle(document)


def layer_converted(document, layer):
    layer.setColorSpace("RGBA", "U16", "sRGB-elle-V2-g10.icc")
    yield lambda: layer.colorDepth() == "U16"
    yield from settle(document)


def _group(document, layer):
    k.action("create_quick_group").trigger()
    yield lambda: layer.parentNode().type() == "grouplayer" and layer.parentNode().name().startswith("Group")
    yield from settle(document)
    group = layer.parentNode()
    yield from activate(document, group)
    return group


def _move(document, node):
    """With the move tool, three pixels to the right."""
    before = node.position().x()
    k.action("KritaTransform/KisToolMove").trigger()
    for _ in range(3):
        # The tool takes keys once it is ready for the node.
        yield lambda: k.action("movetool-move-right") is not None
        k.action("movetool-move-right").trigger()
        yield from settle(document)
    yield lambda: node.position().x() == before + 3
    yield from settle(document)
