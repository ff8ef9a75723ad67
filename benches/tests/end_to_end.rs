//! The generator against the relay and the chat server, all in this process.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use chat_benches::load::{self, Config, Dialect, Form, Pace, Protocol, Talkers, idle, resume};
use chat_benches::measure::certificate::Certificate;
use chat_benches::relay::Relay;
use chat_server::{ServerHandle, TlsConfig};

/// A relay on a thread of its own, which ends with the test.
struct Server {
    addr: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start() -> Self {
        let mut relay = Relay::bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a port is free");
        let addr = relay.local_addr().expect("it is bound");
        let stop = Arc::new(AtomicBool::new(false));
        let flag = stop.clone();
        let thread = std::thread::spawn(move || {
            relay.run(Duration::from_secs(30), &flag).expect("it relays");
        });
        Self { addr, stop, thread: Some(thread) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let joined = self.thread.take().map(JoinHandle::join);
        assert!(matches!(joined, Some(Ok(()))) || std::thread::panicking());
    }
}

fn config(addr: SocketAddr, pace: Pace) -> Config {
    Config {
        dialect: Dialect::plain(Protocol::Relay),
        addr,
        rooms: 3,
        members: 4,
        talkers: Talkers::Some(1),
        pace,
        doze: false,
        spin: false,
        size: 64,
        warmup: Duration::from_millis(50),
        measure: Duration::from_millis(300),
        server: Some(std::process::id()),
        progress: false,
    }
}

fn chat_server(config: chat_server::Config) -> ServerHandle {
    let config = config.with_limits(chat_server::Limits::lift_rates);
    let server = chat_server::Server::bind(config).expect("a port is free");
    server.spawn().expect("there is a thread for it")
}

#[test]
fn the_chat_loses_nothing_in_any_form() {
    let Certificate { cert, key } = Certificate::new().expect("there is a directory for it");
    let tls = TlsConfig::from_files(cert.path(), key.path()).expect("a good pair");
    let server = chat_server(chat_server::Config::new().with_tls(tls));
    for form in [Form::Plain, Form::Ws, Form::Tls, Form::Wss] {
        let dialect = Dialect { protocol: Protocol::Chat, form };
        for (window, talkers, size) in [(32, Talkers::Some(1), 64), (4, Talkers::All, 10_000)] {
            let pace = Pace::Closed { window };
            let config = Config { dialect, talkers, size, ..config(server.address(), pace) };
            let report = load::run(&config).expect("the server plays along");
            assert!(report.delivered > 100, "{dialect}: {report}");
            let wrong = (report.lost, report.repeated, report.alien);
            assert_eq!(wrong, (0, 0, 0), "{dialect}: {report}");
        }
        let config = idle::Config {
            dialect,
            addr: server.address(),
            connections: 50,
            idle: Duration::from_millis(50),
            server: None,
        };
        assert_eq!(idle::run(&config).expect("it plays along").connections, 50);
    }
    server.stop();
    server.join().expect("it has served");
}

#[test]
fn a_server_without_websocket_is_an_error() {
    let server = chat_server(chat_server::Config::new().with_web(None));
    let dialect = Dialect { protocol: Protocol::Chat, form: Form::Ws };
    let config = Config { dialect, ..config(server.address(), Pace::Closed { window: 1 }) };
    let error = load::run(&config).expect_err("it speaks frames alone");
    assert!(matches!(error, chat_benches::error::Error::Server(_)), "{error}");
    server.stop();
    server.join().expect("it has served");
}

#[test]
fn a_closed_loop_loses_nothing() {
    let server = Server::start();
    for (window, talkers) in [(1, Talkers::Some(1)), (32, Talkers::Some(1)), (8, Talkers::All)] {
        let config = Config { talkers, ..config(server.addr, Pace::Closed { window }) };
        let report = load::run(&config).expect("the relay plays along");
        assert!(report.delivered > 100, "{report}");
        assert_eq!((report.lost, report.repeated, report.alien), (0, 0, 0), "{report}");
        assert!(report.latency.samples > 0, "{report}");
        assert!(report.server.is_some_and(|cost| cost.resident_kib > 0), "{report}");
    }
}

#[test]
fn an_open_loop_keeps_its_rate() {
    let server = Server::start();
    let began = Instant::now();
    let report =
        load::run(&config(server.addr, Pace::Open { rate: 1_000 })).expect("it plays along");
    let most = began.elapsed().as_millis() as u64 + 1;
    assert_eq!((report.lost, report.repeated, report.alien), (0, 0, 0), "{report}");
    // However busy the machine is, the first turn after the 50 ms of warm-up sends what became due during them.
    // (`schedule` tests, without a clock, that all later turns do so, too.)
    assert!((51..=most).contains(&report.sent), "{report} in {most} ms");
}

#[test]
fn large_texts_arrive_whole() {
    let server = Server::start();
    let mut config = config(server.addr, Pace::Closed { window: 64 });
    config.size = 20_000;
    let report = load::run(&config).expect("it plays along");
    assert!(report.delivered > 0, "{report}");
    assert_eq!((report.lost, report.repeated, report.alien), (0, 0, 0), "{report}");
}

#[test]
fn idle_connections_are_counted() {
    let server = Server::start();
    let report = idle::run(&idle::Config {
        dialect: Dialect::plain(Protocol::Relay),
        addr: server.addr,
        connections: 200,
        idle: Duration::from_millis(100),
        server: Some(std::process::id()),
    });
    let report = report.expect("it plays along");
    assert_eq!(report.connections, 200);
    assert!(report.connects_per_second > 0.0 && report.server.is_some(), "{report}");
}

#[test]
fn all_members_come_back_to_their_sessions() {
    let server = chat_server(chat_server::Config::new());
    let config = resume::Config {
        addr: server.address(),
        connections: 95,
        members: 10,
        server: Some(std::process::id()),
    };
    let report = resume::run(&config).expect("the server plays along");
    assert_eq!((report.connections, report.rooms, report.gaps), (95, 10, 0), "{report}");
    assert!(report.seconds > 0.0 && report.server.is_some(), "{report}");
    server.stop();
    server.join().expect("it has served");
    // Without history, no session outlives its connection.
    let server = chat_server(chat_server::Config::new().with_limits(|l| l.history = 0));
    let config = resume::Config { addr: server.address(), ..config };
    let error = resume::run(&config).expect_err("no token is granted");
    assert!(matches!(error, chat_benches::error::Error::Server(_)), "{error}");
    server.stop();
    server.join().expect("it has served");
}

#[test]
fn invalid_settings_are_refused_before_anything_is_opened() {
    let nobody = SocketAddr::from(([127, 0, 0, 1], 1));
    let good = config(nobody, Pace::Closed { window: 1 });
    for bad in [
        Config { addr: ([192, 0, 2, 1], 80).into(), ..good.clone() },
        Config { size: 32, ..good.clone() },
        Config { members: 1, ..good.clone() },
        Config { pace: Pace::Open { rate: 0 }, ..good.clone() },
        Config { pace: Pace::Closed { window: 0 }, ..good.clone() },
        Config { measure: Duration::ZERO, ..good.clone() },
    ] {
        assert!(matches!(load::run(&bad), Err(chat_benches::error::Error::Config(_))), "{bad:?}");
    }
    assert!(matches!(load::run(&good), Err(chat_benches::error::Error::Server(_))));
}
