//! Two people in a room of their own, and the time that their messages take.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use chat_proto::{Command, FrameDecoder, Incoming};
use hdrhistogram::Histogram;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use serde::Serialize;

use crate::error::Error;
use crate::words::{chat, create, frame, join};

/// Time between two messages, which the two send in turn. Each stays far below the server's rate limit.
const INTERVAL: Duration = Duration::from_millis(5);

/// How long an answer or a message may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Two connections, used by one thread.
#[derive(Debug)]
pub struct Strangers {
    both: [Stranger; 2],
    /// The number of their room.
    pub room: u64,
    sent: u64,
}

#[derive(Debug)]
struct Stranger {
    stream: TcpStream,
    decoder: FrameDecoder,
    buffer: Vec<u8>,
}

/// The latencies of many messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Latencies {
    /// The median latency from one stranger to the other, in ms.
    pub p50: f64,
    /// The 99th percentile of the latency, in ms.
    pub p99: f64,
    /// The longest latency, in ms.
    pub max: f64,
    /// The 99th percentile of how late a message was sent, in ms, which is due to the core that strangers and
    /// attackers share.
    pub late: f64,
}

impl Strangers {
    /// Connects the two, and puts them into a room.
    ///
    /// # Errors
    /// If the server does not admit them.
    pub fn connect(server: SocketAddr) -> Result<Self, Error> {
        let mut both = [Stranger::connect(server)?, Stranger::connect(server)?];
        let created = both[0].ask(&create("strangers"), "room-created")?;
        let room = created.room_id.unwrap_or_default();
        both[1].ask(&join(room), "room-entered")?;
        Ok(Self { both, room, sent: 0 })
    }

    /// Lets them talk for `time`: see [`Strangers::talk_while`].
    ///
    /// # Errors
    /// If a message is lost, or a connection ends.
    pub fn talk(&mut self, time: Duration) -> Result<Latencies, Error> {
        let end = Instant::now() + time;
        self.talk_while(|| Instant::now() < end)
    }

    /// Lets them talk as long as `goes_on`. A message is sent when it is due, regardless of earlier ones, and its
    /// latency counts from then.
    ///
    /// # Errors
    /// If a message is lost, or a connection ends.
    pub fn talk_while(&mut self, goes_on: impl Fn() -> bool) -> Result<Latencies, Error> {
        let most = 2 * PATIENCE.as_micros() as u64;
        let histogram =
            || Histogram::<u64>::new_with_max(most, 3).expect("three digits of seconds");
        let (mut times, mut late) = (histogram(), histogram());
        let mut on_the_way = VecDeque::new();
        let (mut due, mut end) = (Instant::now(), None);
        while end.is_none() || !on_the_way.is_empty() {
            let now = Instant::now();
            if end.is_none() && !goes_on() {
                end = Some(now);
            }
            if end.is_some_and(|end| now > end + PATIENCE) {
                return Err(gone("nothing came"));
            }
            if now >= due && end.is_none() {
                late.saturating_record((now - due).as_micros() as u64);
                on_the_way.push_back((self.send_next()?, now));
                due += INTERVAL;
            }
            let wait = if end.is_none() { due } else { now + INTERVAL };
            self.wait(wait.saturating_duration_since(Instant::now()))?;
            for stranger in &mut self.both {
                stranger.receive(|message| {
                    if let Some(at) = on_the_way.iter().position(|(text, _)| *text == message.text)
                    {
                        let (_, sent) = on_the_way.remove(at)?;
                        times.saturating_record(sent.elapsed().as_micros() as u64);
                    }
                    None::<()>
                })?;
            }
        }
        let at = |of: &Histogram<u64>, quantile| of.value_at_quantile(quantile) as f64 / 1e3;
        let max = times.max() as f64 / 1e3;
        Ok(Latencies { p50: at(&times, 0.5), p99: at(&times, 0.99), max, late: at(&late, 0.99) })
    }

    /// Sends a message from the stranger whose turn it is. Returns its text.
    fn send_next(&mut self) -> Result<String, Error> {
        let text = format!("message {}", self.sent);
        self.both[(self.sent % 2) as usize].send(&chat(&text))?;
        self.sent += 1;
        Ok(text)
    }

    /// Waits for at most `time` until either has something to read.
    fn wait(&self, time: Duration) -> Result<(), Error> {
        let mut fds = self.both.each_ref().map(|one| PollFd::new(&one.stream, PollFlags::IN));
        let time = Timespec { tv_sec: time.as_secs() as i64, tv_nsec: time.subsec_nanos().into() };
        match poll(&mut fds, Some(&time)) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(Error::Io { doing: "waiting for a message", source: error.into() }),
        }
    }
}

impl Stranger {
    fn connect(server: SocketAddr) -> Result<Self, Error> {
        let connecting = || Error::io("connecting a stranger");
        let stream = TcpStream::connect_timeout(&server, PATIENCE).map_err(connecting())?;
        stream.set_nodelay(true).map_err(connecting())?;
        stream.set_nonblocking(true).map_err(connecting())?;
        Ok(Self { stream, decoder: FrameDecoder::new(), buffer: vec![0; 64 * 1024] })
    }

    fn send(&mut self, command: &Command) -> Result<(), Error> {
        self.stream.write_all(&frame(command)).map_err(Error::io("sending as a stranger"))
    }

    /// Sends a command, and waits for its answer.
    fn ask(&mut self, command: &Command, code: &str) -> Result<Incoming, Error> {
        self.send(command)?;
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let is_it = |message: Incoming| {
                Some(message).filter(|message| message.code.as_deref() == Some(code))
            };
            if let Some(answer) = self.receive(is_it)? {
                return Ok(answer);
            }
            std::thread::sleep(INTERVAL);
        }
        Err(gone(code))
    }

    /// Reads what there is, and passes the messages to `on`. Returns its first result.
    fn receive<T>(
        &mut self,
        mut on: impl FnMut(Incoming) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let read = match self.stream.read(&mut self.buffer) {
            Ok(0) => return Err(gone("its connection was ended")),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(None),
            Err(error) => return Err(gone(&error.to_string())),
        };
        let (mut frames, mut found) = (self.decoder.feed(&self.buffer[..read]), None);
        while let Some(payload) = frames.next_frame() {
            let message = Incoming::parse(payload).map_err(|error| gone(&error.to_string()))?;
            found = found.or(on(message));
        }
        Ok(found)
    }
}

fn gone(why: &str) -> Error {
    Error::Server(format!("a stranger waits in vain: {why}"))
}
