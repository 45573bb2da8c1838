"""What install.py is made of: environment, hosts, plug-in folders, doctor and trial. Standard library only."""
