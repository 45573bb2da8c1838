"""What every plug-in is made with: the worker and its lines, and what the user chooses, reads and is asked.

The same files in every host, in a folder `common` of the plug-in. A host runs them on the Python that it has, so they
need the standard library alone.
"""
