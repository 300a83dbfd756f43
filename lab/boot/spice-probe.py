#!/usr/bin/python3
"""A real SPICE client without a display: connects, authenticates, waits for the first picture.

Prints one JSON line {"result": ..., "events": [...], "seconds": n}; result is "display" (a picture came), or "error-auth",
"error-tls", "error-link", "error-connect", "closed", "timeout". Exit status 0 only for "display".
The password comes from the environment variable SPICE_PASSWORD or, with --password-stdin, from the first line of stdin,
never from the command line, where everybody on the host could read it.
"""
import argparse
import json
import os
import sys
import time

import gi

gi.require_version("SpiceClientGLib", "2.0")
from gi.repository import GLib, GObject, SpiceClientGLib as Spice  # noqa: E402

parser = argparse.ArgumentParser(description="headless SPICE client")
parser.add_argument("host")
parser.add_argument("--tls", metavar="PORT", help="connect to this port over TLS")
parser.add_argument("--port", metavar="PORT", help="connect to this port in clear")
parser.add_argument("--ca", metavar="FILE", help="the CA certificate to trust")
parser.add_argument("--subject", help="check the server certificate's subject instead of its host name")
parser.add_argument("--user")
parser.add_argument("--password-stdin", action="store_true")
parser.add_argument("--timeout", type=float, default=15, metavar="SECONDS")
options = parser.parse_args()
password = sys.stdin.readline().rstrip("\n") if options.password_stdin else os.environ.get("SPICE_PASSWORD")

outcome = {"result": "timeout", "events": []}
loop = GLib.MainLoop()
session = Spice.Session()


def finish(result, **more):
    if outcome["result"] == "timeout":
        outcome.update(result=result, **more)
    loop.quit()


def on_event(channel, event):
    name = Spice.ChannelEvent(event).value_nick
    outcome["events"].append(f"{type(channel).__name__}:{name}")
    if name.startswith("error"):
        error = channel.get_error()
        finish(name, message=error.message if error else None)
    elif name == "closed":
        finish("closed")


def on_picture(_channel, _format, width, height, *_rest):
    finish("display", width=width, height=height)


def on_channel(_session, channel):
    GObject.GObject.connect(channel, "channel-event", on_event)
    if isinstance(channel, Spice.DisplayChannel):
        GObject.GObject.connect(channel, "display-primary-create", on_picture)
        Spice.Channel.connect(channel)


settings = {
    "host": options.host, "tls-port": options.tls, "port": options.port, "ca-file": options.ca,
    "username": options.user, "password": password, "cert-subject": options.subject,
}
for key, value in settings.items():
    if value is not None:
        session.set_property(key, value)
if options.subject:
    session.set_property("verify", Spice.SessionVerify.SUBJECT)
session.set_property("enable-audio", False)
session.set_property("enable-usbredir", False)
GObject.GObject.connect(session, "channel-new", on_channel)

began = time.monotonic()
if not Spice.Session.connect(session):
    finish("error-connect")
GLib.timeout_add(int(options.timeout * 1000), loop.quit)
if outcome["result"] == "timeout":
    loop.run()
outcome["seconds"] = round(time.monotonic() - began, 3)
print(json.dumps(outcome))
sys.exit(0 if outcome["result"] == "display" else 1)
