//! A server under test, pinned to its cores and killed when it is dropped.

use std::fs;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::str::FromStr;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::programs::{Programs, on_cores};
use crate::error::Error;
use crate::load::Protocol;
use crate::measure::child::{AnnouncedLines, START_DEADLINE};

/// No rate limit, as the others have none, and no log line for each connection that ends.
const CHAT_ARGS: [&str; 3] = ["--port=0", "--rate=0", "--log=warn"];

/// A kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The relay, which is the floor.
    Relay,
    /// The room chat.
    Chat,
    /// `redis-server`.
    Redis,
    /// `nats-server`.
    Nats,
}

impl Kind {
    /// All kinds, the floor first.
    pub const ALL: [Self; 4] = [Self::Relay, Self::Chat, Self::Redis, Self::Nats];

    /// Its name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Relay => "relay",
            Self::Chat => "chat",
            Self::Redis => "redis",
            Self::Nats => "nats",
        }
    }

    /// The protocol it speaks.
    pub const fn protocol(self) -> Protocol {
        match self {
            Self::Relay => Protocol::Relay,
            Self::Chat => Protocol::Chat,
            Self::Redis => Protocol::Redis,
            Self::Nats => Protocol::Nats,
        }
    }

    /// Parses a list such as `relay,chat`.
    ///
    /// # Errors
    /// For a name that is none of a server.
    pub fn list(names: &str) -> Result<Vec<Self>, Error> {
        names.split(',').map(|name| name.trim().parse()).collect()
    }

    const fn program(self) -> &'static str {
        match self {
            Self::Redis => "redis-server",
            Self::Nats => "nats-server",
            Self::Relay | Self::Chat => "",
        }
    }
}

impl FromStr for Kind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == name);
        found.ok_or_else(|| Error::Config(format!("{name:?} is none of relay, chat, redis, nats")))
    }
}

/// A running server. Dropping it kills it.
#[derive(Debug)]
pub struct Server {
    child: Child,
    addr: SocketAddr,
    /// Its configuration file, removed with the server.
    config: Option<PathBuf>,
}

impl Server {
    /// Starts a server on these cores (as `taskset -c` takes them), and waits until it listens.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(kind: Kind, programs: &Programs, cores: &str) -> Result<Self, Error> {
        let (mut words, mut config, mut addr) = (Vec::new(), None, None);
        match kind {
            Kind::Relay => words.push(path(&programs.relay)),
            Kind::Chat => {
                words.push(path(&programs.chat));
                words.extend(CHAT_ARGS.map(str::to_owned));
                words.extend(programs.chat_args.iter().cloned());
            }
            Kind::Redis => {
                let free = free_addr()?;
                words.push(kind.program().to_owned());
                words.extend(redis_args(free.port()));
                addr = Some(free);
            }
            Kind::Nats => {
                let free = free_addr()?;
                let file = nats_config(free.port())?;
                words.extend([kind.program().to_owned(), "-c".to_owned(), path(&file)]);
                (addr, config) = (Some(free), Some(file));
            }
        }
        // The logs of the others are of no use here.
        let (stdout, stderr) = match addr {
            None => (Stdio::piped(), Stdio::inherit()),
            Some(_) => (Stdio::null(), Stdio::null()),
        };
        let child = on_cores(cores, &words)
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .map_err(Error::io("starting a server"))?;
        // From here on dropping it kills the process, whatever goes wrong.
        let unknown = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut server = Self { child, addr: addr.unwrap_or(unknown), config };
        match addr {
            Some(_) => server.wait_until_it_accepts(kind)?,
            None => server.addr = server.read_address(kind)?,
        }
        Ok(server)
    }

    /// Whether this machine has the program.
    pub fn is_installed(kind: Kind, programs: &Programs) -> bool {
        match kind {
            Kind::Relay => programs.relay.is_file(),
            Kind::Chat => programs.chat.is_file(),
            Kind::Redis | Kind::Nats => std::env::var_os("PATH").is_some_and(|path| {
                std::env::split_paths(&path).any(|dir| dir.join(kind.program()).is_file())
            }),
        }
    }

    /// The address it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    fn read_address(&mut self, kind: Kind) -> Result<SocketAddr, Error> {
        AnnouncedLines::of(&mut self.child).address("listening on ").map_err(|line| {
            Error::Server(format!("{} did not say where it listens, but {line:?}", kind.name()))
        })
    }

    fn wait_until_it_accepts(&mut self, kind: Kind) -> Result<(), Error> {
        let deadline = Instant::now() + START_DEADLINE;
        while TcpStream::connect(self.addr).is_err() {
            let ended = self.child.try_wait().map_err(Error::io("waiting for a server"))?;
            if ended.is_some() || Instant::now() > deadline {
                return Err(Error::Server(format!("{} did not start", kind.name())));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing can be done about a failure of either.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(file) = &self.config {
            let _ = fs::remove_file(file);
        }
    }
}

fn path(path: &std::path::Path) -> String {
    path.to_string_lossy().into_owned()
}

/// A free port. If somebody else takes it first, the server does not start.
fn free_addr() -> Result<SocketAddr, Error> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map_err(Error::io("finding a free port"))
}

/// No persistence, and no limit on how far subscribers fall behind.
fn redis_args(port: u16) -> Vec<String> {
    let line = format!(
        "--port {port} --bind 127.0.0.1 --appendonly no --maxclients 60000 --tcp-backlog 1024 \
         --client-output-buffer-limit pubsub 0 0 0 --save"
    );
    line.split(' ').map(str::to_owned).chain([String::new()]).collect()
}

/// No limit on how far subscribers fall behind, which can be set in a file only.
fn nats_config(port: u16) -> Result<PathBuf, Error> {
    let file =
        std::env::temp_dir().join(format!("compare-nats-{}-{port}.conf", std::process::id()));
    let text = format!(
        "listen: 127.0.0.1:{port}\nwrite_deadline: \"60s\"\nmax_pending: 1073741824\n\
         max_connections: 60000\n"
    );
    // A file that exists belongs to somebody else.
    let write = || {
        let mut new = fs::File::create_new(&file)?;
        std::io::Write::write_all(&mut new, text.as_bytes())
    };
    match write() {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(Error::Config(format!("{} is there already", file.display())))
        }
        result => result.map(|()| file).map_err(Error::io("writing a configuration")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_names_is_a_list_of_servers() {
        assert_eq!(Kind::list("relay, nats").expect("they exist"), [Kind::Relay, Kind::Nats]);
        assert!(Kind::list("relay,ircd").is_err());
    }

    #[test]
    fn redis_gets_an_empty_save() {
        let args = redis_args(7_000);
        assert_eq!(args[..2], ["--port", "7000"]);
        assert_eq!(args[args.len() - 2..], ["--save", ""]);
    }
}
