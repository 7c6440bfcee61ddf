"""Technology behind the ports, one `technology_role.py` each; adapters never import each other."""
