"""ESP-NOW between processes of the Unix port; see README.md."""
