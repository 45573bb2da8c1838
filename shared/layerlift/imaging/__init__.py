"""Pixels: formats, what is uploaded, the alpha at full size, and the subject's own colours. It knows no service."""
