"""The list of what a server has: CoRE Link Format (RFC 6690)."""

from ...core.errors import FrameError

_MAX_LINKS = 64


def listing(resources, query):
    """The links of the resources that have some and that fit all filters, as str.

    query: list of str such as "rt=temperature*" (4.1).
    """
    found = []
    for resource in resources:
        if resource.links is not None and _fits(resource, query):
            found.append(_link(resource))
    return ",".join(found)


def _link(resource):
    out = "</%s>" % resource.path
    for name, value in sorted(resource.links.items()):
        out += ";%s=%d" % (name, value) if isinstance(value, int) else ';%s="%s"' % (name, value)
    return out + (";obs" if resource.observable else "")


def _fits(resource, query):
    for item in query:
        name, _, wanted = item.partition("=")
        if name == "href":
            values = ["/" + resource.path]
        else:
            whole = str(resource.links.get(name, ""))
            values = whole.split(" ") if name in ("rt", "if", "rel") else [whole]  # of several
        if not [v for v in values if _equals(v, wanted)]:
            return False
    return True


def _equals(value, wanted):
    if wanted.endswith("*"):
        return value.startswith(wanted[:-1])
    return value == wanted


def parse(payload):
    """List of (path, {attribute: str}) of a listing (bytes). Raises FrameError."""
    try:
        text = str(payload, "utf-8")
    except (UnicodeError, ValueError):
        raise FrameError("link format: not UTF-8")
    found = []
    for link in _split(text, ","):
        target, *attributes = _split(link, ";") or [""]
        target = target.strip()
        if target[:1] != "<" or target[-1:] != ">" or len(found) == _MAX_LINKS:
            raise FrameError("link format: %r" % target[:40])
        found.append((target[1:-1], dict([_attribute(a) for a in attributes])))
    return found


def _attribute(text):
    name, _, value = text.strip().partition("=")
    if value[:1] == '"':
        value = value[1:-1].replace("\\", "")
    return name, value


def _split(text, separator):
    """Parts between separators that do not stand in quotes or in <>."""
    parts = []
    begin = 0
    quoted = bracketed = False
    for at, char in enumerate(text):
        if char == '"' and not bracketed and (at == 0 or text[at - 1] != "\\"):
            quoted = not quoted
        elif char in "<>" and not quoted:
            bracketed = char == "<"
        elif char == separator and not quoted and not bracketed:
            parts.append(text[begin:at])
            begin = at + 1
    if quoted or bracketed:
        raise FrameError("link format: quote or < without an end")
    return parts + [text[begin:]] if text else []
