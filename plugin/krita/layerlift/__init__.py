"""Layerlift for Krita: Tools > Remove Background."""

from krita import Krita

from .extension import Layerlift

Krita.instance().addExtension(Layerlift(Krita.instance()))
