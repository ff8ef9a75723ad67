//! Too many connections, in total and from one address: R9.

use std::net::Ipv4Addr;

use chat_server::CloseReason;

use crate::support::{Client, Scene, connect_when_let_in, in_own_process};

/// Checks that the next message, which is the last, is a refusal that names the limit.
fn expect_refused(client: &mut Client, code: &str, limit: usize) {
    let message = client.expect_code(code);
    assert!(message.text.contains(&limit.to_string()), "the limit is named: {}", message.text);
    client.expect_end();
}

#[test]
fn r9_connections_beyond_the_limit_are_refused_and_accepting_goes_on() {
    in_own_process(|| {
        const LIMIT: usize = 6;
        let scene = Scene::with(|config| {
            config.limits.connections = LIMIT;
            config.limits.refused_connections = 2;
        });
        // Three of the six connections are the witnesses'.
        let mut members: Vec<_> = (0..3).map(|_| scene.member()).collect();
        // More than the server waits for: none of them ends its side before all have been told.
        let mut refused: Vec<_> = (0..20).map(|_| Client::connect(scene.address())).collect();
        for client in &mut refused {
            expect_refused(client, "server-full", LIMIT);
        }
        members.pop();
        let mut client = connect_when_let_in(|| Client::connect(scene.address()));
        client.enter(scene.room());
        let mut refused_again = Client::connect(scene.address());
        expect_refused(&mut refused_again, "server-full", LIMIT);
        drop((members, refused, client, refused_again));
        let (heard, stats) = scene.finish();
        assert_eq!((heard.count("member-entered"), heard.count("member-left")), (4, 4));
        assert!(stats.closed.count(CloseReason::ServerFull) >= 21, "{stats:?}");
    });
}

#[test]
fn r9_connections_beyond_the_limit_of_an_address_are_refused_and_no_others() {
    in_own_process(|| {
        const LIMIT: usize = 3;
        let scene = Scene::with(|config| config.limits.connections_per_address = LIMIT);
        // Address 127.0.0.1 is left to the witnesses.
        let connect =
            |last| Client::connect_from(Ipv4Addr::new(127, 0, 0, last).into(), scene.address());
        let mut full = connect(1);
        expect_refused(&mut full, "too-many-from-address", LIMIT);
        for last in [2, 3] {
            let mut clients: Vec<_> = (0..LIMIT).map(|_| connect(last)).collect();
            for client in &mut clients {
                client.enter(scene.room());
            }
            let mut refused = connect(last);
            expect_refused(&mut refused, "too-many-from-address", LIMIT);
            clients.pop();
            connect_when_let_in(|| connect(last)).enter(scene.room());
        }
        drop(full);
        let (_, stats) = scene.finish();
        assert!(stats.closed.count(CloseReason::TooManyFromAddress) >= 3, "{stats:?}");
    });
}
