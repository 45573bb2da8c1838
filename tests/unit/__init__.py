"""What can be tested of single modules."""
