"""What install.py is made of: environment, editors and where they are, doctor and trial. Standard library only."""
