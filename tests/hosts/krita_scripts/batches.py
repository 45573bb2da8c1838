"""What scripts of batches have at hand inside Krita: documents of many kinds, the question, and the summary."""

from layerlift_driver.scripting import add, k, linger, new_document, pixels, redo, settle, undo
from removals import LIGHT, SAID, QtCore, QtWidgets, box, buttons, choice, is_over, subject

# Name: size, and what its colours are changed to.
SPACES = {
    "rgb": ((300, 200), None),
    "rgb16": ((310, 200), ("RGBA", "U16", "sRGB-elle-V2-g10.icc")),
    "rgb32": ((320, 200), ("RGBA", "F32", "sRGB-elle-V2-g10.icc")),
    "gray": ((330, 200), ("GRAYA", "U8", "Gray-D50-elle-V2-srgbtrc.icc")),
    "gray16": ((340, 200), ("GRAYA", "U16", "Gray-D50-elle-V2-srgbtrc.icc")),
    "cmyk": ((350, 200), ("CMYKA", "U8", "Chemical proof")),
    "lab": ((360, 200), ("LABA", "U16", "Lab identity built-in")),
    "huge": ((6000, 4000), None),
}
SHAPE = '<svg xmlns="http://www.w3.org/2000/svg" width="300pt" height="200pt" viewBox="0 0 300 200">{}</svg>'


def named(document, name):
    document.setName(name)
    document.setModified(False)
    return document


def in_space(name):
    size, space = SPACES[name]
    document = yield from subject(*size)
    if space:
        document.setColorSpace(*space)
        yield from settle(document)
    return named(document, name)


def group():
    document = yield from subject(370, 200)
    layer = document.activeNode()
    parent = yield from add(document, document.createGroupLayer("group"))
    layer.remove()
    yield from add(document, layer, parent)
    document.setActiveNode(parent)
    yield lambda: document.activeNode() == parent
    yield from settle(document)
    return named(document, "group")


def vector():
    document = yield from new_document(380, 200)
    layer = yield from add(document, document.createVectorLayer("vector"))
    layer.addShapesFromSvg(SHAPE.format('<rect x="20" y="20" width="90" height="70" fill="rgb(0,0,0)" stroke="none"/>'))
    yield lambda: not layer.bounds().isEmpty()
    yield from settle(document)
    return named(document, "vector")


def empty():
    document = yield from subject(390, 200)
    yield from add(document, document.createNode("nothing", "paintlayer"))
    return named(document, "empty")


def without_subject():
    document = yield from subject(400, 200, LIGHT, LIGHT)
    return named(document, "without subject")


def small(count, first=0):
    """Small documents, called 0, 1, 2..."""
    documents = []
    for number in range(first, first + count):
        document = yield from subject(300 + number, 200)
        documents.append(named(document, str(number)))
    return documents


def show(document):
    """Bring a document to the front."""
    yield from linger()
    view = next(view for view in k.activeWindow().views() if view.document() == document)
    view.setVisible()
    yield lambda: k.activeDocument() == document
    yield from settle(document)


def remove_all():
    """As the menu does."""
    k.action("layerlift_remove_all").trigger()


def asked():
    """Wait for the question; its text."""
    yield lambda: choice() is not None, 180
    return question()


def question():
    """What the question says, which follows the ticks."""
    texts = [label.text() for label in choice().findChildren(QtWidgets.QLabel) if label.wordWrap()]
    return "\n\n".join(filter(None, texts))


def rows():
    """The lines of the question: name, size and cost, and whether it is ticked; None where it can't be."""
    ticked = QtCore.Qt.CheckState.Checked
    items = [_tree().topLevelItem(row) for row in range(_tree().topLevelItemCount())]
    ticks = [None if item.isDisabled() else item.checkState(0) == ticked for item in items]
    return [[*(item.text(column) for column in range(3)), tick] for item, tick in zip(items, ticks)]


def tick(name, wanted):
    """Tick a line, or untick it."""
    states = QtCore.Qt.CheckState
    (item,) = _tree().findItems(name, QtCore.Qt.MatchFlag.MatchExactly)
    item.setCheckState(0, states.Checked if wanted else states.Unchecked)


def _tree():
    return choice().findChildren(QtWidgets.QTreeWidget)[0]


def answer(name):
    """Press a button of the question."""
    buttons(choice)[name].click()


def ended(press="Close"):
    """Wait for the end of all jobs; returns the text of a box, which a button closes, and what was said."""
    yield (lambda: is_over() and (box() or SAID)), 300
    text, heard = box().text() if box() else "", SAID[:]
    SAID.clear()
    if text:
        buttons(box)[press].click()
    yield from settle(*k.documents())
    return text, heard


def names(document):
    """Of the layers, from the bottom."""
    return [node.name() for node in document.topLevelNodes()]


def all_names():
    """Of the layers of each document, by its name."""
    return {document.name(): names(document) for document in k.documents()}


def undone(document):
    """Whether one step back takes the cut-out away and shows the original, and one forth brings it back."""
    before = names(document)
    original = document.topLevelNodes()[-2]
    yield from undo(document)
    yield lambda: names(document) == before[:-1] and original.visible()
    yield from redo(document)
    yield lambda: names(document) == before and not original.visible()


def what_is_left(document):
    """Of the two top layers: their spaces, and whether the cut-out has the original's pixels at its edge and amid."""
    original, cutout = document.topLevelNodes()[-2:]
    spaces = [[node.colorModel(), node.colorDepth(), node.colorProfile()] for node in (original, cutout)]
    area = original.bounds()
    places = (area.x() + 5, area.y() + 5), (document.width() // 2, document.height() // 2)
    kept = [pixels(original, x, y, 1, 1) == pixels(cutout, x, y, 1, 1) for x, y in places]
    return spaces, kept
