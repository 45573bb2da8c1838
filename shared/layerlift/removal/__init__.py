"""How a removal hangs together: one picture, many, engines, recovery, cancelling."""
