"""The classic interface's own values: colours, parasites, types and constants. None of them knows a GIMP."""
