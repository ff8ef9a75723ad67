// Chats by the client of `ws` with a client of plain frames: ws_client.cjs PATH-OF-THE-SERVER
const assert = require("node:assert");
const { spawn } = require("node:child_process");
const net = require("node:net");
const readline = require("node:readline");
const WebSocket = require("ws");

const DEADLINE = 60_000; // for all of it

/// What has arrived and not been awaited, or who awaits it.
class Inbox {
  messages = [];
  waiting = [];
  put(message) {
    const next = this.waiting.shift();
    next ? next(message) : this.messages.push(message);
  }
  get() {
    if (this.messages.length > 0) return Promise.resolve(this.messages.shift());
    return new Promise((resolve) => this.waiting.push(resolve));
  }
}

/// A client of plain frames.
class Plain extends Inbox {
  constructor(host, port) {
    super();
    this.socket = net.connect(port, host);
    let rest = Buffer.alloc(0);
    this.socket.on("data", (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE()) {
        const end = 2 + rest.readUInt16BE();
        this.put(JSON.parse(rest.subarray(2, end)));
        rest = rest.subarray(end);
      }
    });
  }
  send(message) {
    const payload = Buffer.from(JSON.stringify(message));
    const header = Buffer.alloc(2);
    header.writeUInt16BE(payload.length);
    this.socket.write(Buffer.concat([header, payload]));
  }
}

/// A WebSocket. It offers compression, as browsers do, and is not to get it.
class Web extends Inbox {
  constructor(address) {
    super();
    this.socket = new WebSocket(`ws://${address}/ws`);
    this.socket.on("message", (data, isBinary) => this.put(isBinary ? data : JSON.parse(data)));
    this.open = new Promise((resolve, reject) => this.socket.on("open", resolve).on("error", reject));
    this.closed = new Promise((resolve) => this.socket.on("close", resolve));
    this.pong = new Promise((resolve) => this.socket.on("pong", resolve));
  }
  send(message) {
    this.socket.send(JSON.stringify(message));
  }
}

async function expect(peer, fields) {
  const message = await peer.get();
  assert.deepEqual({ ...message, ...fields }, message);
  return message;
}

async function say(sender, member, hearer, text) {
  sender.send({ type: "CSChat", text });
  await expect(hearer, { type: "SCChat", member, text });
}

async function chat(address) {
  const [host, port] = address.split(":");
  const bob = new Plain(host, port);
  bob.send({ type: "CSCreateRoom", title: "차 한잔" });
  const { roomId } = await expect(bob, { code: "room-created" });
  bob.send({ type: "CSName", name: "bob" });
  await expect(bob, { code: "renamed" });

  const web = new Web(address);
  await web.open;
  assert.equal(web.socket.extensions, "");
  web.send({ type: "CSName", name: "앨리스" });
  await expect(web, { code: "renamed", to: "앨리스" });
  web.send({ type: "CSJoinRoom", roomId });
  await expect(web, { code: "room-entered" });
  await expect(bob, { code: "member-entered", member: "앨리스" });
  for (const text of ["안녕하세요 😀", "x", "가".repeat(100), "나".repeat(20_000)]) {
    await say(web, "앨리스", bob, text);
    await say(bob, "bob", web, text);
  }

  // Fragments that cut characters, with pings in between.
  const message = Buffer.from(JSON.stringify({ type: "CSChat", text: "조각 조각" }));
  for (let i = 0; i < message.length; i++) {
    web.socket.send(message.subarray(i, i + 1), { binary: false, fin: i + 1 === message.length });
    if (i === 30) web.socket.ping("사이에");
  }
  await expect(bob, { type: "SCChat", text: "조각 조각" });
  assert.equal((await web.pong).toString(), "사이에");

  for (let i = 0; i < 300; i++) web.send({ type: "CSChat", text: `${i} 번째` });
  for (let i = 0; i < 300; i++) await expect(bob, { type: "SCChat", text: `${i} 번째` });

  web.socket.close(3000, "안녕");
  assert.equal(await web.closed, 3000);
  await expect(bob, { code: "member-left", member: "앨리스" });

  for (const [data, code] of [[Buffer.from("bytes"), 1003], ["x".repeat(65_536), 1009]]) {
    const refused = new Web(address);
    await refused.open;
    refused.socket.send(data);
    assert.equal(await refused.closed, code);
  }
  bob.socket.destroy();
}

async function stop(server, address) {
  const web = new Web(address);
  await web.open;
  server.kill("SIGTERM");
  await expect(web, { code: "server-stopping" });
  assert.equal(await web.closed, 1001);
}

async function main() {
  const stdio = ["ignore", "pipe", "inherit"];
  const server = spawn(process.argv[2], ["--port=0", "--rate=0", "--log=error"], { stdio });
  process.on("exit", () => server.kill("SIGKILL"));
  setTimeout(() => assert.fail("it takes too long"), DEADLINE).unref();
  const ended = new Promise((resolve) => server.on("exit", resolve));
  const line = await new Promise((resolve) =>
    readline.createInterface({ input: server.stdout }).once("line", resolve),
  );
  const address = line.replace("listening on ", "");
  await chat(address);
  await stop(server, address);
  assert.equal(await ended, 0);
  console.log("ws: chatted");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
