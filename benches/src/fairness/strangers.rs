//! Two people in a room of their own, and the time that their messages take.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use chat_proto::{Command, FrameDecoder, Incoming};
use hdrhistogram::Histogram;

use crate::error::Error;
use crate::words::{chat, create, frame, join};

/// Between two messages, which the two send in turn. Each stays far below the server's rate limit.
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

/// The times of many messages.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Latencies {
    /// The median of the time from one stranger to the other, in ms.
    pub p50: f64,
    /// The 99th percentile of it.
    pub p99: f64,
    /// The 99th percentile of how late a message was sent because its sender woke late: the fault of the core
    /// that strangers and attackers share.
    pub late: f64,
}

impl Strangers {
    /// Connects the two, and seats them in a room.
    ///
    /// # Errors
    /// When the server does not let them in.
    pub fn connect(server: SocketAddr) -> Result<Self, Error> {
        let mut both = [Stranger::connect(server)?, Stranger::connect(server)?];
        let created = both[0].ask(&create("strangers"), "room-created")?;
        let room = created.room_id.unwrap_or_default();
        both[1].ask(&join(room), "room-entered")?;
        Ok(Self { both, room, sent: 0 })
    }

    /// Lets them talk for `time`.
    ///
    /// A message's time counts from when it was due, if the one before it kept it back, and from its sending
    /// otherwise.
    ///
    /// # Errors
    /// When a message is lost, or a connection ended.
    pub fn talk(&mut self, time: Duration) -> Result<Latencies, Error> {
        let most = 2 * PATIENCE.as_micros() as u64;
        let histogram =
            || Histogram::<u64>::new_with_max(most, 3).expect("three digits of seconds");
        let (mut times, mut late) = (histogram(), histogram());
        let (mut due, end) = (Instant::now(), Instant::now() + time);
        while due < end {
            let rest = due.saturating_duration_since(Instant::now());
            let mut from = due;
            if !rest.is_zero() {
                std::thread::sleep(rest);
                from = Instant::now();
                late.saturating_record((from - due).as_micros() as u64);
            }
            self.pass_a_message()?;
            times.saturating_record(from.elapsed().as_micros() as u64);
            due += INTERVAL;
        }
        let at = |of: &Histogram<u64>, quantile| of.value_at_quantile(quantile) as f64 / 1e3;
        Ok(Latencies { p50: at(&times, 0.5), p99: at(&times, 0.99), late: at(&late, 0.99) })
    }

    /// One sends a message, and the other receives it.
    fn pass_a_message(&mut self) -> Result<(), Error> {
        let text = format!("message {}", self.sent);
        let [one, other] = &mut self.both;
        let (sender, receiver) =
            if self.sent.is_multiple_of(2) { (one, other) } else { (other, one) };
        self.sent += 1;
        sender.send(&chat(&text))?;
        receiver.wait_for(|message| message.kind == "SCChat" && message.text == text)?;
        Ok(())
    }
}

impl Stranger {
    fn connect(server: SocketAddr) -> Result<Self, Error> {
        let connecting = || Error::io("connecting a stranger");
        let stream = TcpStream::connect_timeout(&server, PATIENCE).map_err(connecting())?;
        stream.set_nodelay(true).map_err(connecting())?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(connecting())?;
        Ok(Self { stream, decoder: FrameDecoder::new(), buffer: vec![0; 64 * 1024] })
    }

    fn send(&mut self, command: &Command) -> Result<(), Error> {
        self.stream.write_all(&frame(command)).map_err(Error::io("sending as a stranger"))
    }

    fn ask(&mut self, command: &Command, code: &str) -> Result<Incoming, Error> {
        self.send(command)?;
        self.wait_for(|message| message.code.as_deref() == Some(code))
    }

    /// Reads until the message that is waited for.
    fn wait_for(&mut self, is_it: impl Fn(&Incoming) -> bool) -> Result<Incoming, Error> {
        let gone = |why: &str| Error::Server(format!("a stranger waits in vain: {why}"));
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let read = match self.stream.read(&mut self.buffer) {
                Ok(0) => return Err(gone("its connection was ended")),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(gone(&error.to_string())),
            };
            let mut frames = self.decoder.feed(&self.buffer[..read]);
            let mut found = None;
            while let Some(payload) = frames.next_frame() {
                let message = Incoming::parse(payload).map_err(|error| gone(&error.to_string()))?;
                found = found.or(Some(message).filter(&is_it));
            }
            if let Some(found) = found {
                return Ok(found);
            }
        }
        Err(gone("nothing came"))
    }
}
