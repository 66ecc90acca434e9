"""The whole job on one computer: broker, gateway, page, three nodes, faults, and the score."""
