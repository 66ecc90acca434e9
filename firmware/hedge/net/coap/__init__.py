"""CoAP (RFC 7252): client.Client, server.Server, oscore.context.Context. README.md says how.

Nothing is imported here: a node that only posts pays for the client alone.
"""
