"""LoRaWAN 1.0.4 end device: class A, class C as an option. See README.md and SPEC.md.

Nothing is imported here: lorawan_link.py loads what the node file asks for, and the network
server (hedgerow.lns) shares only crypto, phy, maccmd, region and the payload codec.
"""
