//! A server embedded in another program, which prints the events of the server.
//!
//! ```text
//! cargo run -p chat-server --example watch
//! ```
//!
//! The server runs on a thread of its own, a second thread reads its events, and this one waits for
//! Enter. Connect a few clients meanwhile: `cargo run -p chat-client -- --port=PORT`.

use std::error::Error;
use std::{io, panic, thread};

use chat_server::{Config, Event, Events, Server};

fn main() -> Result<(), Box<dyn Error>> {
    // By default, listens on a free port of 127.0.0.1.
    let mut config = Config::default();
    config.limits.connections = 100;
    config.limits.rooms = 10;

    let mut server = Server::bind(config)?;
    let events = server.observe(1_024);
    let server = server.spawn()?;
    let watcher = thread::spawn(move || watch(events));

    println!("listening on {}; Enter stops the server", server.address());
    io::stdin().read_line(&mut String::new())?;
    let monitor = server.monitor();
    server.stop();
    server.join()?; // Every accepted message has been delivered by now.

    // The events have ended with the server.
    let missed = watcher.join().unwrap_or_else(|panic| panic::resume_unwind(panic));
    let stats = monitor.stats();
    println!("{} connections, {} commands, {missed} events missed", stats.accepted, stats.requests);
    for (reason, count) in stats.closed.iter().filter(|(_, count)| *count > 0) {
        println!("{count} ended: {reason}");
    }
    Ok(())
}

/// Prints events until they end. Returns the number missed because it was too slow.
fn watch(mut events: Events) -> u64 {
    for event in &mut events {
        match event {
            Event::Connected { name, address, .. } => println!("+ {name} from {address}"),
            Event::Named { from, to, .. } => println!("{from} is now {to}"),
            Event::RoomCreated { room, title, .. } => println!("room {room}: {title}"),
            Event::Entered { name, room, .. } => println!("{name} -> room {room}"),
            // A text may have several lines, and characters that garble a terminal.
            Event::Said { name, room, text, .. } => {
                println!("room {room}, {name}: {:?}", text.as_str());
            }
            Event::Left { name, room, .. } => println!("{name} <- room {room}"),
            Event::RoomClosed { room, .. } => println!("room {room} is closed"),
            Event::Ended { name, reason, .. } => println!("- {name}: {reason}"),
            Event::Missed { events, .. } => println!("... {events} events missed"),
            // A later version may have more kinds of events.
            other => println!("{other:?}"),
        }
    }
    events.missed()
}
