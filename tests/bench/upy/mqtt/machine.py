"""What mqtt_async imports of a board's machine."""


def unique_id():
    return b"bench"
