"""Run node files on the Unix port with simulated chips, and judge what they did."""
