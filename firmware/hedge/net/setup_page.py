"""The set-up page: one form, made for a phone; no scripts, nothing from elsewhere."""

from .setup_http import escape

_STYLE = (
    "*{box-sizing:border-box}body{font:17px/1.5 system-ui,sans-serif;margin:0;background:#f3f5f1;"
    "color:#1d2a1f}main{max-width:26rem;margin:0 auto;padding:1.5rem 1.25rem 3rem}"
    "h1{font-size:1.5rem;margin:0 0 .25rem}p{margin:.25rem 0 1.25rem;color:#4c5a4e}"
    "label{display:block;font-weight:600;margin-top:1rem}"
    "input{width:100%;font:inherit;padding:.7rem .8rem;margin-top:.3rem;border:1px solid #9aa79c;"
    "border-radius:.6rem;background:#fff;color:inherit}input:focus{outline:3px solid #7fb88a}"
    "small{color:#4c5a4e;font-weight:400}"
    "button{width:100%;font:inherit;font-weight:600;margin-top:1.75rem;padding:.85rem;border:0;"
    "border-radius:.6rem;background:#22683a;color:#fff}"
    ".bad{background:#fbe9e6;color:#7c1d0e;padding:.75rem 1rem;border-radius:.6rem}"
    ".good{background:#e2f2e5;color:#154a26;padding:.75rem 1rem;border-radius:.6rem}"
)
_TOP = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width,initial-scale=1">'
    "%s<title>Set up %s</title><style>%s</style></head><body><main>"
)
_END = "</main></body></html>"
_INPUT = (
    '<label for="%s">%s%s</label><input id="%s" name="%s" type="%s" value="%s" %s '
    'autocapitalize="none" autocorrect="off" spellcheck="false">'
)
_WAIT = '<meta http-equiv="refresh" content="3;url=/status">'


def _page(name, body, more=""):
    return _TOP % (more, escape(name), _STYLE) + body + _END


def _input(key, label, value, kind="text", hint="", more=""):
    shown = " <small>%s</small>" % hint if hint else ""
    return _INPUT % (key, label, shown, key, key, kind, escape(value), more)


def form_page(values, networks, error=""):
    """values: dict with ssid, name, host; the password is never shown again. networks: names."""
    body = "<h1>Set up %s</h1><p>Connect this node to your Wi-Fi.</p>" % escape(values["name"])
    if error:
        body += '<p class="bad" role="alert">%s</p>' % escape(error)
    body += '<form method="post" action="/save">'
    body += _input("ssid", "Network", values["ssid"], more='list="heard" required maxlength="32"')
    body += '<datalist id="heard">'
    body += "".join(['<option value="%s">' % escape(ssid) for ssid in networks]) + "</datalist>"
    body += _input("key", "Password", "", "password", "empty if it has none", 'maxlength="64"')
    body += _input(
        "name",
        "Name of this node",
        values["name"],
        hint="a-z 0-9 -",
        more='required maxlength="24" pattern="[a-z0-9\\-]{1,24}"',
    )
    body += _input(
        "host", "Gateway", values["host"], hint="name or address", more='maxlength="64"'
    )
    return _page(values["name"], body + '<button type="submit">Connect</button></form>')


def trying_page(name, ssid):
    body = "<h1>Connecting</h1><p>Trying %s. This takes up to half a minute; if this page is lost,"
    body += " join the node's network again.</p>"
    return _page(name, body % escape(ssid), _WAIT)


def done_page(name, ssid, address):
    body = '<h1>Done</h1><p class="good" role="status">%s is connected to %s with the address %s.'
    body += "</p><p>It starts again with its new settings. You can close this page.</p>"
    return _page(name, body % (escape(name), escape(ssid), escape(address)))
