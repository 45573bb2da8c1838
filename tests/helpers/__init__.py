"""What the tests of several folders share, and no test among it."""
