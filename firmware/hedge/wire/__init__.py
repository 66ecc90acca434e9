"""What goes over a link: CBOR, SenML records, the frame and the ack. Bytes in SPEC.md."""
