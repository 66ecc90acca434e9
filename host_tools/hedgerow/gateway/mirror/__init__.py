"""Last values of all nodes in the conventions of other systems, at the gateway's broker."""
