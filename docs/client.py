#!/usr/bin/env python3
"""A whole client of the room chat: python3 client.py PORT [HOST]

A line is said to the room, unless it is /name NAME, /rooms, /create TITLE, /join ROOM, /leave or
/shutdown. It ends when everything up to the end of its input has been answered, or with the server.
"""
import contextlib, json, os, socket, sys, threading

COMMANDS = {"/name": ("CSName", "name"), "/rooms": ("CSRooms", None), "/leave": ("CSLeaveRoom", None),
            "/create": ("CSCreateRoom", "title"), "/join": ("CSJoinRoom", "roomId"),
            "/shutdown": ("CSShutdown", None)}

def send(server, message):
    payload = json.dumps(message).encode()
    if len(payload) > 65535:
        return show("- That is too long for a frame.")
    server.sendall(len(payload).to_bytes(2, "big") + payload)

def send_lines(server):
    with contextlib.suppress(OSError):  # The other thread learns of a lost connection, too.
        for line in sys.stdin:
            command, _, argument = line.strip().partition(" ")
            kind, field = COMMANDS.get(command, ("CSChat", "text"))
            value = argument if command in COMMANDS else line.rstrip("\r\n")
            if command:
                send(server, {"type": kind, field: value} if field else {"type": kind})
        server.shutdown(socket.SHUT_WR)  # The answers still come.

def receive(stream):  # The next message, or None at the end of the stream.
    header = stream.read(2)
    payload = stream.read(int.from_bytes(header, "big"))
    return json.loads(payload) if payload else None

def show(line):  # What is not printable could garble the terminal.
    print("".join(c if c.isprintable() else ascii(c)[1:-1] for c in line), flush=True)

def show_message(message):  # Types and fields that are not known are no error.
    if message["type"] == "SCChat":
        show(f"{message['member']}: {message['text']}")
    elif message["type"] == "SCSystemMessage":
        show(f"* {message['text']}")
    for room in message.get("rooms", []):
        show(f"  {room['roomId']}  {room['title']} ({room['memberCount']}): {', '.join(room['members'])}")

for std in (sys.stdin, sys.stdout):
    std.reconfigure(encoding="utf-8", errors="replace")
server = socket.create_connection((sys.argv[2] if len(sys.argv) > 2 else "127.0.0.1", int(sys.argv[1])))
send(server, {"type": "CSRooms"})  # Shows what there is, and makes the first frame a good one.
threading.Thread(target=send_lines, args=[server], daemon=True).start()
stream, status = server.makefile("rb"), 1
try:
    while message := receive(stream):
        show_message(message)
    status = 0
except (OSError, ValueError) as error:  # A reset, or an end in the middle of a frame.
    print(f"lost the connection: {error}", file=sys.stderr, flush=True)
finally:
    os._exit(status)  # Without waiting for the line that somebody may be typing.
