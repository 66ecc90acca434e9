"""OSCORE (RFC 8613): CoAP messages encrypted end to end. context.Context holds the keys."""
