//! End to end over loopback: one member talks, and a round is over when all others have received everything.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;

use chat_proto::{Command, HEADER_LEN, Name, RoomId, Text, Title, chat_payload_len};
use chat_server::{Config, Server, ServerHandle};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

/// Messages per round: enough to share a write, few enough to fit every socket's buffer.
const ROUND: u64 = 64;

/// A room that everyone is in. The first member talks.
struct Room {
    server: ServerHandle,
    poll: Poll,
    events: Events,
    members: Vec<TcpStream>,
    text: Text,
    round: Vec<u8>,
    /// The number of the last broadcast.
    seq: u64,
    buffer: Vec<u8>,
}

impl Room {
    fn new(members: usize, size: usize) -> io::Result<Self> {
        let server = Server::bind(Config::default()).expect("a free port").spawn()?;
        let text = Text::new(&"x".repeat(size)).expect("a text");
        let mut round = Vec::new();
        for _ in 0..ROUND {
            Command::Chat(text.clone()).write(&mut round).expect("it fits a frame");
        }
        let mut room = Self {
            poll: Poll::new()?,
            events: Events::with_capacity(1_024),
            members: Vec::new(),
            text,
            round,
            seq: 0,
            buffer: vec![0; 256 * 1_024],
            server,
        };
        let title = Title::new("room").expect("a title");
        room.enter(&Command::Create(title))?;
        for _ in 1..members {
            room.enter(&Command::Join(RoomId::FIRST))?;
            room.seq += 1;
        }
        room.drain_notices()?;
        Ok(room)
    }

    /// Connects another member, and waits for its answer.
    fn enter(&mut self, command: &Command) -> io::Result<()> {
        let addr: SocketAddr = self.server.address();
        let mut stream = std::net::TcpStream::connect(addr)?;
        let mut frame = Vec::new();
        command.write(&mut frame).expect("it fits a frame");
        stream.write_all(&frame)?;
        let mut header = [0; HEADER_LEN];
        stream.read_exact(&mut header)?;
        stream.read_exact(&mut vec![0; usize::from(u16::from_be_bytes(header))])?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        let token = Token(self.members.len());
        self.poll.registry().register(&mut stream, token, Interest::READABLE)?;
        self.members.push(stream);
        Ok(())
    }

    /// Reads the notices about members that entered later. Since the very last member has its answer, all of them have
    /// arrived: the server writes an answer after the notices of the same turn.
    fn drain_notices(&mut self) -> io::Result<()> {
        self.members[0].write_all(b"\0\x12{\"type\":\"CSRooms\"}")?;
        let listed = b"memberCount";
        let mut seen = Vec::new();
        while !seen.windows(listed.len()).any(|window| window == listed) {
            self.poll.poll(&mut self.events, None)?;
            for event in &self.events {
                let Token(member) = event.token();
                let mut rest = Vec::new();
                match self.members[member].read_to_end(&mut rest) {
                    Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                    result => drop(result?),
                }
                if member == 0 {
                    seen.extend(rest);
                }
            }
        }
        Ok(())
    }

    /// Bytes that each listener receives in the next round.
    fn next_round_len(&mut self) -> usize {
        let member = Name::default_for(1);
        let from = self.seq + 1;
        self.seq += ROUND;
        (from..=self.seq)
            .map(|seq| HEADER_LEN + chat_payload_len(&member, &self.text, RoomId::FIRST, seq))
            .sum()
    }

    fn round(&mut self) -> io::Result<()> {
        let mut owed = self.next_round_len() * (self.members.len() - 1);
        self.members[0].write_all(&self.round)?;
        while owed > 0 {
            self.poll.poll(&mut self.events, None)?;
            for event in &self.events {
                let Token(member) = event.token();
                loop {
                    match self.members[member].read(&mut self.buffer) {
                        Ok(n) => owed -= n,
                        Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                        Err(e) => return Err(e),
                    }
                }
            }
        }
        Ok(())
    }
}

fn fan_out(c: &mut Criterion) {
    const SIZE: usize = 64;
    for members in [2, 10, 100, 1_000] {
        let mut room = Room::new(members, SIZE).expect("loopback works");
        let delivered = ROUND * (members as u64 - 1);
        for (unit, throughput) in [
            ("messages", Throughput::Elements(delivered)),
            ("bytes", Throughput::Bytes(delivered * SIZE as u64)),
        ] {
            let mut group = c.benchmark_group(format!("fan-out/{unit}"));
            group.throughput(throughput).sample_size(20);
            group.bench_function(members.to_string(), |b| {
                b.iter(|| room.round().expect("loopback works"));
            });
            group.finish();
        }
        room.members.clear();
        room.server.stop();
        room.server.join().expect("it ends in order");
    }
}

criterion_group!(benches, fan_out);
criterion_main!(benches);
