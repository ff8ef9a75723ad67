"""Chats by the client of `websockets` with a client of plain frames: websockets_client.py PATH-OF-THE-SERVER"""
import contextlib, json, signal, socket, ssl, subprocess, sys, tempfile

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

DEADLINE = 20  # seconds, for whatever is waited for

class Plain:
    """A client of plain frames."""

    def __init__(self, address):
        host, port = address.split(":")
        self.socket = socket.create_connection((host, port), timeout=DEADLINE)
        self.stream = self.socket.makefile("rb")

    def send(self, **message):
        payload = json.dumps(message, ensure_ascii=False).encode()
        self.socket.sendall(len(payload).to_bytes(2, "big") + payload)

    def receive(self):
        return json.loads(self.stream.read(int.from_bytes(self.stream.read(2), "big")))

class Web:
    """A client of WebSocket messages."""

    def __init__(self, socket):
        self.socket = socket

    def send(self, **message):
        self.socket.send(json.dumps(message, ensure_ascii=False))

    def receive(self):
        message = self.socket.recv(timeout=DEADLINE)
        assert isinstance(message, str), message
        return json.loads(message)

    def closed(self):
        """What comes until the server closes, and the code with which it does."""
        messages = []
        with contextlib.suppress(ConnectionClosed):
            while True:
                messages.append(self.receive())
        return messages, self.socket.close_code

@contextlib.contextmanager
def connected(address, tls=None):
    # It offers compression, as browsers do, and is not to get it.
    url = f"{'wss' if tls else 'ws'}://{address}/ws"
    with connect(url, ssl=tls, open_timeout=DEADLINE, close_timeout=DEADLINE) as socket:
        assert not socket.protocol.extensions
        yield Web(socket)

def expect(peer, **fields):
    message = peer.receive()
    assert fields.items() <= message.items(), f"{fields} in {message}"
    return message

def enter(peer, name, room):
    peer.send(type="CSName", name=name)
    expect(peer, code="renamed", to=name)
    peer.send(type="CSJoinRoom", roomId=room)
    expect(peer, code="room-entered", roomId=room)

def say(sender, name, hearer, text):
    sender.send(type="CSChat", text=text)
    expect(hearer, type="SCChat", member=name, text=text)

def chat(address, tls=None):
    bob = Plain(address)
    bob.send(type="CSCreateRoom", title="차 한잔")
    room = expect(bob, code="room-created", title="차 한잔")["roomId"]
    bob.send(type="CSName", name="bob")
    expect(bob, code="renamed")
    with connected(address, tls) as web:
        enter(web, "앨리스", room)
        expect(bob, code="member-entered", member="앨리스")
        for text in ["안녕하세요 😀", "x", "가" * 100, "\"\\\n", "나" * 20_000]:
            say(web, "앨리스", bob, text)
            say(bob, "bob", web, text)
        web.send(type="CSRooms")
        assert expect(web, type="SCRoomsResult")["rooms"][0]["members"] == ["bob", "앨리스"]
        say_in_fragments(web, bob)
        for i in range(300):
            web.send(type="CSChat", text=f"{i} 번째")
        for i in range(300):
            expect(bob, type="SCChat", text=f"{i} 번째")
        web.socket.send("[]")
        expect(web, code="bad-request")
        web.socket.close(3000, "안녕")
        assert web.socket.protocol.close_rcvd.code == 3000
    expect(bob, code="member-left", member="앨리스")
    bob.socket.close()

def say_in_fragments(web, hearer):
    """Says something byte by byte, so that characters are cut, and pings."""
    message = json.dumps({"type": "CSChat", "text": "조각 조각"}, ensure_ascii=False).encode()
    web.socket.send((bytes([byte]) for byte in message), text=True)
    expect(hearer, type="SCChat", text="조각 조각")
    assert web.socket.ping(b"p" * 125).wait(DEADLINE), "no pong"
    web.socket.pong(b"nobody asked")

def be_refused(address, tls=None):
    for message, code in [(b"bytes", 1003), ("x" * 65_536, 1009)]:
        with connected(address, tls) as web:
            web.socket.send(message)
            assert web.closed()[1] == code, web.socket.close_code

def stop(server, address):
    with connected(address) as web:
        web.send(type="CSRooms")
        expect(web, type="SCRoomsResult")
        server.send_signal(signal.SIGTERM)
        messages, code = web.closed()
    assert (messages[-1]["code"], code) == ("server-stopping", 1001), (messages, code)

with tempfile.TemporaryDirectory() as folder:
    flags = ["--port=0", "--rate=0", "--log=error", "--tls-self-signed", f"--tls-dir={folder}"]
    server = subprocess.Popen([sys.argv[1], *flags], stdout=subprocess.PIPE, text=True)
    try:
        address = server.stdout.readline().removeprefix("listening on ").strip()
        tls = ssl.create_default_context(cafile=f"{folder}/self-signed.pem")
        for tls in [None, tls]:
            chat(address, tls)
            be_refused(address, tls)
        stop(server, address)
        assert server.wait(DEADLINE) == 0
    finally:
        server.kill()
print("websockets: chatted, by plain text and by TLS")
