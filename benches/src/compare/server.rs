//! A server under test, pinned to its cores and killed when it is dropped.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::programs::{Programs, on_cores};
use crate::error::Error;
use crate::load::{Dialect, Form, Protocol};
use crate::measure::certificate::{Certificate, TempFile};
use crate::measure::child::{AnnouncedLines, KilledOnDrop, START_DEADLINE};

/// No rate limit, since the others have none, and no log line for each connection that ends.
const CHAT_ARGS: [&str; 3] = ["--port=0", "--rate=0", "--log=warn"];

/// A running server. Dropping it kills it.
#[derive(Debug)]
pub struct Server {
    child: KilledOnDrop,
    addr: SocketAddr,
    /// Removed with the server.
    _config: Option<TempFile>,
    _certificate: Option<Certificate>,
}

impl Server {
    /// Starts a server on these cores (in the syntax of `taskset -c`), and waits until it listens.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start(kind: Dialect, programs: &Programs, cores: &str) -> Result<Self, Error> {
        let (mut words, mut config, mut addr) = (Vec::new(), None, None);
        let certificate = kind.form.has_tls().then(Certificate::new).transpose()?;
        match kind.protocol {
            Protocol::Relay => words.push(path(&programs.relay)),
            Protocol::Chat => {
                words.push(path(&programs.chat));
                words.extend(CHAT_ARGS.map(str::to_owned));
                words.extend(certificate.iter().flat_map(Certificate::arguments));
                words.extend(programs.chat_args.iter().cloned());
            }
            Protocol::Redis => {
                let free = free_addr()?;
                words.push(program(kind.protocol).to_owned());
                words.extend(redis_args(free.port()));
                addr = Some(free);
            }
            Protocol::Nats => {
                let free = free_addr()?;
                let text = nats_config(free, kind.form, certificate.as_ref());
                let file = TempFile::write("nats.conf", &text)?;
                words.extend([program(kind.protocol).to_owned(), "-c".to_owned(), file.path()]);
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
        // From here on, dropping it kills the process, whatever goes wrong.
        let unknown = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut server = Self {
            child: KilledOnDrop(child),
            addr: addr.unwrap_or(unknown),
            _config: config,
            _certificate: certificate,
        };
        match addr {
            Some(_) => server.wait_until_it_accepts(kind)?,
            None => server.addr = server.read_address(kind)?,
        }
        Ok(server)
    }

    /// Whether this machine has the program.
    pub fn is_installed(kind: Dialect, programs: &Programs) -> bool {
        match kind.protocol {
            Protocol::Relay => programs.relay.is_file(),
            Protocol::Chat => programs.chat.is_file(),
            Protocol::Redis | Protocol::Nats => std::env::var_os("PATH").is_some_and(|path| {
                std::env::split_paths(&path).any(|dir| dir.join(program(kind.protocol)).is_file())
            }),
        }
    }

    /// The address it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.0.id()
    }

    fn read_address(&mut self, kind: Dialect) -> Result<SocketAddr, Error> {
        AnnouncedLines::of(&mut self.child.0).address("listening on ").map_err(|line| {
            Error::Server(format!("{} did not say where it listens, but {line:?}", kind.name()))
        })
    }

    fn wait_until_it_accepts(&mut self, kind: Dialect) -> Result<(), Error> {
        let deadline = Instant::now() + START_DEADLINE;
        while TcpStream::connect(self.addr).is_err() {
            let ended = self.child.0.try_wait().map_err(Error::io("waiting for a server"))?;
            if ended.is_some() || Instant::now() > deadline {
                return Err(Error::Server(format!("{} did not start", kind.name())));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

/// The name of an installed program, if the server is one.
const fn program(kind: Protocol) -> &'static str {
    match kind {
        Protocol::Redis => "redis-server",
        Protocol::Nats => "nats-server",
        Protocol::Relay | Protocol::Chat => "",
    }
}

fn path(path: &std::path::Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Finds a free port. If another program takes it first, the server does not start.
fn free_addr() -> Result<SocketAddr, Error> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map_err(Error::io("finding a free port"))
}

/// No persistence, and no limit on how far subscribers may fall behind.
fn redis_args(port: u16) -> Vec<String> {
    let line = format!(
        "--port {port} --bind 127.0.0.1 --appendonly no --maxclients 60000 --tcp-backlog 1024 \
         --client-output-buffer-limit pubsub 0 0 0 --save"
    );
    line.split(' ').map(str::to_owned).chain([String::new()]).collect()
}

/// No limit on how far subscribers may fall behind, which only a file can set.
fn nats_config(addr: SocketAddr, form: Form, certificate: Option<&Certificate>) -> String {
    let limits = "write_deadline: \"60s\"\nmax_pending: 1073741824\nmax_connections: 60000\n";
    let tls = certificate.map(|Certificate { cert, key }| {
        format!("tls {{ cert_file: {:?}, key_file: {:?} }}", cert.path(), key.path())
    });
    let tls = tls.as_deref();
    if form.has_websocket() {
        // The server also listens for its own protocol, at a port chosen by the kernel.
        let tls = tls.unwrap_or("no_tls: true");
        format!(
            "listen: \"127.0.0.1:-1\"\nwebsocket {{\n  listen: \"{addr}\"\n  {tls}\n}}\n{limits}"
        )
    } else {
        format!("listen: \"{addr}\"\n{}\n{limits}", tls.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redis_gets_an_empty_save() {
        let args = redis_args(7_000);
        assert_eq!(args[..2], ["--port", "7000"]);
        assert_eq!(args[args.len() - 2..], ["--save", ""]);
    }
}
