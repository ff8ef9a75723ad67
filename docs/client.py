#!/usr/bin/env python3
"""A complete client of the room chat: python3 client.py --port=9000

Every line goes to the room, except /name NAME, /rooms, /create TITLE, /join ID, /leave and /shutdown.
The client exits when the server closes, or once everything up to the end of its input is answered.
"""
import argparse, contextlib, json, os, socket, sys, threading

COMMANDS = {"/name": ("CSName", "name"), "/rooms": ("CSRooms", None), "/leave": ("CSLeaveRoom", None),
            "/create": ("CSCreateRoom", "title"), "/join": ("CSJoinRoom", "roomId"),
            "/shutdown": ("CSShutdown", None)}

def send(server, message):
    payload = json.dumps(message).encode()
    if len(payload) > 65535:
        return show("- That is too long for a frame.")
    server.sendall(len(payload).to_bytes(2, "big") + payload)

def send_lines(server):
    with contextlib.suppress(OSError):  # The other thread notices a lost connection, too.
        for line in sys.stdin:
            command, _, argument = line.strip().partition(" ")
            kind, field = COMMANDS.get(command, ("CSChat", "text"))
            value = argument if command in COMMANDS else line.rstrip("\r\n")
            if command:
                send(server, {"type": kind, field: value} if field else {"type": kind})
        server.shutdown(socket.SHUT_WR)  # The answers still arrive.

def receive(stream):  # The next message, or None at the end of the stream.
    header = stream.read(2)
    payload = stream.read(int.from_bytes(header, "big"))
    return json.loads(payload) if payload else None

def show(line):  # Escapes what is not printable and could garble the terminal.
    print("".join(c if c.isprintable() else ascii(c)[1:-1] for c in line), flush=True)

def quoted(name):  # A name that is more than letters, digits and spaces could pass for something else.
    return name if name.replace(" ", "").isalnum() else json.dumps(name, ensure_ascii=False)

def show_message(message):  # Ignores unknown types and fields.
    if message["type"] == "SCChat":
        show(f"{quoted(message['member'])}: {message['text']}")
    elif message["type"] == "SCSystemMessage":
        show(f"* {message['text']}")
    for room in message.get("rooms", []):
        names = ", ".join(map(quoted, room["members"]))
        show(f"  {room['roomId']}  {quoted(room['title'])} ({room['memberCount']}): {names}")

flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
flags.add_argument("--port", type=int, required=True, help="port of the server")
flags.add_argument("--ip", default="127.0.0.1", help="address or host name of the server (default %(default)s)")
flags = flags.parse_args()
for std in (sys.stdin, sys.stdout):
    std.reconfigure(encoding="utf-8", errors="replace")
try:
    server = socket.create_connection((flags.ip, flags.port))
except OSError as error:
    sys.exit(f"client.py: cannot reach {flags.ip}:{flags.port}: {error.strerror or error}")
server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # A line must not wait for the next one.
send(server, {"type": "CSRooms"})  # Shows the rooms, and makes the first frame a good one.
threading.Thread(target=send_lines, args=[server], daemon=True).start()
stream, status = server.makefile("rb"), 1
try:
    while message := receive(stream):
        show_message(message)
    status = 0
except (OSError, ValueError) as error:  # A reset, or an end in the middle of a frame.
    print(f"client.py: lost the connection: {error}", file=sys.stderr, flush=True)
finally:
    os._exit(status)  # Does not wait for a line that somebody may be typing.
