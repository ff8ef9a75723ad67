//! Responses to requests, byte by byte.

use super::*;

fn site() -> Site {
    Site::new(WebConfig::new().with_hosts(["Chat.Example.Org"]))
}

fn answer(head: &str) -> Answer {
    site().answer(head.replace('\n', "\r\n").as_bytes(), false)
}

/// The status code of the response.
fn status(head: &str) -> u16 {
    let text = text(&answer(head));
    let code = text.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3));
    code.and_then(|code| code.parse().ok()).unwrap_or_else(|| panic!("{text}"))
}

fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.bytes).into_owned()
}

const UPGRADE: &str = "Connection: keep-alive, Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n";

/// The example of RFC 6455, 1.3.
#[test]
fn the_proof_of_an_upgrade_is_that_of_the_rfc() {
    let head = format!("GET /ws HTTP/1.1\nHost: 127.0.0.1:9000\n{UPGRADE}\n");
    let upgrade = answer(&head);
    assert_eq!(upgrade.end, None, "messages follow");
    assert_eq!(
        text(&upgrade),
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
    );
    let followed = site().answer(head.replace('\n', "\r\n").as_bytes(), true);
    assert!(text(&followed).starts_with("HTTP/1.1 400 "), "nothing may come before the answer");
}

#[test]
fn known_names_are_served_and_foreign_ones_are_not() {
    for host in [
        "127.0.0.1",
        "192.168.0.7:9000",
        "[::1]:9000",
        "[fe80::1]",
        "localhost",
        "LOCALHOST:1",
        "a.localhost",
        "chat.example.org",
        "CHAT.example.org.:443",
    ] {
        assert_eq!(status(&format!("GET / HTTP/1.1\nHost: {host}\n\n")), 200, "{host}");
    }
    for host in [
        "example.org",
        "evil.chat.example.org",
        "127.0.0.1.evil.org",
        "localhost.evil.org",
        "0x7f.1",
    ] {
        assert_eq!(status(&format!("GET / HTTP/1.1\nHost: {host}\n\n")), 421, "{host}");
    }
    for host in [
        "",
        "a b",
        "[::1",
        "[x]",
        "localhost:port",
        "localhost:99999",
        "a@localhost",
        ":80",
        "[::1]x",
    ] {
        assert_eq!(status(&format!("GET / HTTP/1.1\nHost: {host}\n\n")), 400, "{host:?}");
    }
    assert_eq!(status("GET / HTTP/1.1\n\n"), 400, "no name");
    assert_eq!(status("GET / HTTP/1.1\nHost: localhost\nHost: localhost\n\n"), 400, "two names");
    assert_eq!(status("GET http://evil.org/ HTTP/1.1\nHost: localhost\n\n"), 421);
    assert_eq!(status("GET http://localhost/ HTTP/1.1\nHost: evil.org\n\n"), 200);
    assert_eq!(status("GET / HTTP/1.0\n\n"), 200, "it is no browser");
}

#[test]
fn a_foreign_page_gets_no_socket() {
    for (host, origin, code) in [
        ("127.0.0.1:9000", "http://127.0.0.1:9000", 101),
        ("localhost", "http://localhost", 101),
        ("localhost", "http://localhost:80", 101),
        ("localhost:443", "https://localhost", 101),
        // A proxy in front terminates TLS.
        ("chat.example.org", "https://chat.example.org", 101),
        ("127.0.0.1:9000", "http://127.0.0.1:9001", 403),
        ("127.0.0.1:9000", "http://localhost:9000", 403),
        ("127.0.0.1", "null", 403),
        ("127.0.0.1", "", 403),
        ("127.0.0.1", "http://evil.org", 403),
        ("127.0.0.1", "file://", 403),
        ("127.0.0.1", "http://127.0.0.1.evil.org", 403),
        ("127.0.0.1", "http://127.0.0.1/", 403),
    ] {
        let head = format!("GET /ws HTTP/1.1\nHost: {host}\nOrigin: {origin}\n{UPGRADE}\n");
        assert_eq!(status(&head), code, "{host} {origin}");
    }
    let two = format!(
        "GET /ws HTTP/1.1\nHost: a.localhost\nOrigin: http://a.localhost\nOrigin: http://a.localhost\n{UPGRADE}\n"
    );
    assert_eq!(status(&two), 403);
}

#[test]
fn an_improper_upgrade_is_told_what_is_missing() {
    let with = |upgrade: &str| status(&format!("GET /ws HTTP/1.1\nHost: localhost\n{upgrade}\n"));
    assert_eq!(with(UPGRADE), 101);
    assert_eq!(with(""), 426);
    assert_eq!(with(&UPGRADE.replace("13", "8")), 426);
    assert_eq!(with(&UPGRADE.replace("websocket", "h2c")), 426);
    assert_eq!(with(&UPGRADE.replace("keep-alive, Upgrade", "close")), 426);
    assert_eq!(with(&UPGRADE.replace("Sec-WebSocket-Key", "X")), 400);
    assert_eq!(with(&UPGRADE.replace("dGhl", "")), 400, "too short a key");
    assert_eq!(with(&format!("{UPGRADE}Content-Length: 5\n")), 400);
    assert_eq!(status(&format!("POST /ws HTTP/1.1\nHost: localhost\n{UPGRADE}\n")), 405);
    assert_eq!(status(&format!("GET /ws HTTP/1.0\nHost: localhost\n{UPGRADE}\n")), 426);
}

#[test]
fn plain_text_is_sent_to_the_same_page_by_https() {
    let redirect = |head: &str| site().redirect(head.replace('\n', "\r\n").as_bytes());
    for (host, target, location) in [
        ("192.168.0.7:9000", "/", "https://192.168.0.7:9000/"),
        ("[::1]:9000", "/app.js?x=1&y=/?#z", "https://[::1]:9000/app.js?x=1&y=/?"),
        ("localhost", "/?room=%0D%0A", "https://localhost/?room=%0D%0A"),
        ("Chat.Example.org.", "http://chat.example.org/", "https://chat.example.org/"),
        ("localhost:9000", "//evil.org/", "https://localhost:9000//evil.org/"),
    ] {
        let answer = redirect(&format!("GET {target} HTTP/1.1\nHost: {host}\n\n"));
        let sent = text(&answer);
        assert!(sent.starts_with("HTTP/1.1 307 "), "{sent}");
        assert!(sent.contains(&format!("\r\nLocation: {location}\r\n")), "{sent}");
        assert_eq!(answer.end, Some(CloseReason::TlsRequired));
    }
    for (head, code) in [
        ("GET / HTTP/1.1\nHost: evil.org\n\n", "421"),
        ("GET / HTTP/1.0\n\n", "426"),
        (&format!("GET /ws HTTP/1.1\nHost: localhost\n{UPGRADE}\n"), "426"),
        ("POST / HTTP/1.1\nHost: localhost\n\n", "405"),
        ("GET /\n\n", "400"),
        // It would lead to another port, or nowhere.
        ("GET * HTTP/1.1\nHost: localhost:9000\n\n", "400"),
        // No URL has such letters as they are.
        ("GET /?é HTTP/1.1\nHost: localhost\n\n", "400"),
        ("GET /?\rX:\u{1}y HTTP/1.1\nHost: localhost\n\n", "400"),
    ] {
        let sent = text(&redirect(head));
        assert!(sent.starts_with(&format!("HTTP/1.1 {code} ")), "{head}: {sent}");
        assert!(!sent.contains("Location"), "{sent}");
    }
}

#[test]
fn malformed_requests_are_refused() {
    assert_eq!(status("GET /\n\n"), 400);
    assert_eq!(status("GET / HTTP/2.0\nHost: localhost\n\n"), 505);
    assert_eq!(status("DELETE / HTTP/1.1\nHost: localhost\n\n"), 405);
    assert_eq!(status("OPTIONS * HTTP/1.1\nHost: localhost\n\n"), 405);
    assert_eq!(status("GET * HTTP/1.1\nHost: localhost\n\n"), 400);
    assert_eq!(status("CONNECT evil.org:80 HTTP/1.1\nHost: evil.org:80\n\n"), 400);
    assert_eq!(status("GET /nothing HTTP/1.1\nHost: localhost\n\n"), 404);
    assert_eq!(status("GET /../Cargo.toml HTTP/1.1\nHost: localhost\n\n"), 404);
    assert_eq!(status("GET / HTTP/1.1\nHost: localhost\nTransfer-Encoding: chunked\n\n"), 400);
    let many = "X: y\n".repeat(100);
    assert_eq!(status(&format!("GET / HTTP/1.1\nHost: localhost\n{many}\n")), 431);
    assert_eq!(status(&format!("GET / HTTP/1.1\nHost: localhost\nX: {}", "y".repeat(9_000))), 431);
    // A field that is not text.
    let head = b"GET / HTTP/1.1\r\nHost: localhost\r\nX: \xff\r\n\r\n";
    assert_eq!(site().answer(head, false).end, Some(CloseReason::BadInput));
}

#[test]
fn a_file_is_sent_once_and_then_known() {
    let ask = |more: &str| text(&answer(&format!("GET /?x=1 HTTP/1.1\nHost: localhost\n{more}\n")));
    let tag = |answer: &str| {
        let tag = answer.split("ETag: ").nth(1).and_then(|rest| rest.split("\r\n").next());
        tag.expect("every file has one").to_owned()
    };
    let plain = ask("");
    assert!(plain.contains("\r\n\r\n<!doctype html>") && !plain.contains("gzip"), "{plain}");
    let gzip = ask("Accept-Encoding: br, GZIP;q=0.5\n");
    assert!(gzip.contains("Content-Encoding: gzip\r\n") && gzip.len() < plain.len());
    assert_ne!(tag(&plain), tag(&gzip), "other bytes, another tag");
    for refused in ["gzip;q=0", "gzip; q=0.000", "identity", "x-gzip2"] {
        assert!(!ask(&format!("Accept-Encoding: {refused}\n")).contains("gzip\r\n"), "{refused}");
    }
    for known in [
        tag(&plain),
        format!("\"x\", {}", tag(&plain)),
        format!("W/{}", tag(&plain)),
        "*".to_owned(),
    ] {
        let answer = ask(&format!("If-None-Match: {known}\n"));
        assert!(answer.starts_with("HTTP/1.1 304 ") && answer.ends_with("\r\n\r\n"), "{answer}");
    }
    assert!(ask("If-None-Match: \"x\"\n").starts_with("HTTP/1.1 200 "));
    let head = text(&answer("HEAD / HTTP/1.1\nHost: localhost\n\n"));
    let (fields, body) = plain.split_once("\r\n\r\n").expect("a head ends");
    assert_eq!(head, format!("{fields}\r\n\r\n"), "the same without its body");
    assert!(fields.contains(&format!("Content-Length: {}", body.len())));
}

/// RFC 9110, 7.8: otherwise a proxy would pass it on as if it were the end's own.
#[test]
fn what_offers_an_upgrade_says_that_it_is_for_this_connection() {
    let socket = answer("GET /ws HTTP/1.1\nHost: localhost\n\n");
    let tls = site().redirect(b"GET / HTTP/1.0\r\n\r\n");
    for answer in [socket, tls].map(|answer| text(&answer)) {
        assert!(
            answer.starts_with("HTTP/1.1 426 ") && answer.contains("\r\nUpgrade: "),
            "{answer}"
        );
        assert!(answer.contains("\r\nConnection: upgrade\r\n"), "{answer}");
        assert!(answer.contains("\r\nConnection: close\r\n"), "{answer}");
    }
}

#[test]
fn an_answer_to_head_is_that_to_get_without_its_body() {
    for target in ["/ HTTP/1.1", "/nothing HTTP/1.1", "/ws HTTP/1.1", "/ HTTP/2.0"] {
        let [get, head] = ["GET", "HEAD"]
            .map(|method| text(&answer(&format!("{method} {target}\nHost: localhost\n\n"))));
        let (fields, body) = get.split_once("\r\n\r\n").expect("a head ends");
        assert!(!body.is_empty());
        assert_eq!(head, format!("{fields}\r\n\r\n"));
    }
    let refused = site().redirect(b"HEAD /ws HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(text(&refused).ends_with("\r\n\r\n"), "{refused:?}");
}

#[test]
fn every_answer_lets_a_browser_run_nothing_else() {
    let page = text(&answer("GET / HTTP/1.1\nHost: localhost\n\n"));
    let missing = text(&answer("GET /nothing HTTP/1.1\nHost: localhost\n\n"));
    for answer in [page, missing, text(&answer("GET / HTTP/1.1\nHost: evil.org\n\n"))] {
        for field in [
            "default-src 'none'; script-src 'self'",
            "frame-ancestors 'none'",
            "nosniff",
            "no-referrer",
        ] {
            assert!(answer.contains(field), "{field}: {answer}");
        }
        assert!(!answer.contains("unsafe") && !answer.contains("Set-Cookie"));
    }
}

/// Everything that the page loads exists and is small, and the page has nothing inline that the policy would silently
/// block.
#[test]
fn the_page_is_whole_and_small() {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/src/web/page");
    let files: Vec<_> = std::fs::read_dir(dir).expect("it is there").flatten().collect();
    let bytes: u64 = files.iter().map(|file| file.metadata().expect("a file").len()).sum();
    assert!(bytes < 40 * 1024, "{bytes} bytes");
    let assets = Assets::prepared();
    let mut imports = 0;
    for file in &files {
        let name = file.file_name().into_string().expect("UTF-8");
        let path = if name == "index.html" { String::new() } else { name.clone() };
        assert!(assets.find(&format!("/{path}")).is_some(), "{name} is not served");
        let text = std::fs::read_to_string(file.path()).expect("UTF-8");
        for inline in [
            " style=",
            " onclick=",
            "<style",
            "innerHTML",
            "insertAdjacentHTML",
            "eval(",
            "document.write",
        ] {
            assert!(!text.contains(inline), "{name}: {inline}");
        }
        for import in text.split(" from './").skip(1) {
            imports += 1;
            let imported = import.split('\'').next().expect("it ends");
            assert!(assets.find(&format!("/{imported}")).is_some(), "{name} imports {imported}");
        }
    }
    assert!(imports > 5, "{imports} imports were found");
}
