//! The servers that the client trusts with TLS, and what it says about others.

use std::io::{Read as _, Write as _};
use std::process::Command as Process;

use chat_proto::{Command, Text};
use rcgen::SanType;
use rustls::version::{TLS12, TLS13};

use crate::support::{Client, Listener, chat, frame, program, system};
use crate::tls_peer::{Authority, Identity, TempFile, TlsListener, early, expired};

/// Checks that the client can say something and is answered.
#[track_caller]
fn assert_talks(mut client: Client, server: &TlsListener) {
    let mut peer = server.accept();
    client.write("안녕하세요 ☕\n".as_bytes());
    client.end_input();
    let said = Command::Chat(Text::new("안녕하세요 ☕").expect("a text"));
    assert_eq!(peer.commands(), [said]);
    peer.send(&chat("김철수", "어서 오세요"));
    peer.close();
    assert_eq!(client.exit().succeeded(), ["김철수: 어서 오세요"]);
}

/// A client of `server` with these flags, which takes the authorities in a file for those of the system.
fn client(server: &TlsListener, system_roots: &TempFile, flags: &[&str]) -> Client {
    let port = server.listener.port_flag();
    let flags: Vec<&str> = [port.as_str()].iter().chain(flags).copied().collect();
    Client::spawn(&mut program_with(system_roots, &flags))
}

/// The client's program on a system whose authorities are in a file.
fn program_with(system_roots: &TempFile, flags: &[&str]) -> Process {
    let mut process = program(flags);
    process.env_remove("SSL_CERT_DIR").env("SSL_CERT_FILE", system_roots.path());
    process
}

#[test]
fn a_server_is_trusted_by_its_authority_or_by_its_fingerprint() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let other_name = || authority.issue_with(&["other.example"], expired);
    let talk = |identity: Identity, flags: &[&str], roots: &Authority, version| {
        let server = TlsListener::bind_with(identity, &[version]);
        assert_talks(client(&server, &roots.file, flags), &server);
    };
    for version in [&TLS13, &TLS12] {
        let flag = authority.flag();
        talk(authority.issue(&["127.0.0.1"]), &["--tls"], &authority, version);
        talk(authority.issue(&["127.0.0.1"]), &[&flag], &stranger, version);
        talk(authority.issue(&["localhost"]), &[&flag, "--ip=localhost"], &stranger, version);
        let pinned = other_name();
        let flag = pinned.flag();
        talk(pinned, &[&flag], &stranger, version);
        let pinned = Identity::of_authority();
        let flag = format!("--tls-fingerprint=sha256:{}", pinned.fingerprint().to_lowercase());
        talk(pinned, &["--tls", &flag, "--ip=localhost"], &stranger, version);
    }
}

#[test]
fn a_certificate_that_signs_itself_is_an_authority_for_itself() {
    let (key, certificate) = {
        let pair = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a pair");
        (pair.signing_key, pair.cert)
    };
    let file = TempFile::new(certificate.pem().as_bytes());
    let server = TlsListener::bind(Identity::new(&certificate, &key));
    let flag = format!("--tls-ca={}", file.path());
    assert_talks(client(&server, &file, &[&flag]), &server);
}

#[test]
fn an_unknown_certificate_is_reported_with_the_flag_that_trusts_it() {
    let roots = Authority::new();
    let server = TlsListener::bind(Identity::self_signed(&["127.0.0.1"]));
    let address = server.listener.address();
    for (lang, start) in [
        (
            "en",
            format!(
                "cannot trust {address}: no authority known here has signed its certificate. If \
                 this is the fingerprint that the server printed, use --tls-fingerprint="
            ),
        ),
        ("ko", format!("{address} 서버를 믿을 수 없어요: 인증서에 서명한 기관을 몰라요. ")),
    ] {
        let unknown = client(&server, &roots.file, &["--tls", &format!("--lang={lang}")]);
        server.refused();
        let error = unknown.exit().failed(1);
        assert!(error.starts_with(&start), "{error}");
        let flag = error.split(' ').next_back().expect("a last word");
        assert!(flag.starts_with("--tls-fingerprint="), "{error}");
        assert_talks(client(&server, &roots.file, &[flag]), &server);
    }
}

#[test]
fn a_certificate_that_is_not_right_is_refused_with_the_reason() {
    let authority = Authority::new();
    let address = |server: &TlsListener| server.listener.address().to_string();
    let many: Vec<String> = (1..8).map(|n| format!("n{n}.example")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for (identity, why) in [
        (authority.issue(&["chat.example"]), "its certificate is for another name: chat.example"),
        (authority.issue(&["localhost", "::1"]), "is for another name: localhost, ::1."),
        (authority.issue(&[]), "its certificate is for another name: -."),
        (authority.issue(&many), "n1.example, n2.example, n3.example, n4.example, n5.example, …."),
        (authority.issue_with(&["127.0.0.1"], expired), "its certificate expired on 2021-02-03"),
        (authority.issue_with(&["127.0.0.1"], early), "is not valid before 2998-01-02"),
        (Identity::of_authority(), "its certificate is one for authorities, not for servers"),
    ] {
        let server = TlsListener::bind(identity);
        let refusing = client(&server, &authority.file, &["--tls"]);
        server.refused();
        let error = refusing.exit().failed(1);
        assert!(error.starts_with(&format!("cannot trust {}: ", address(&server))), "{error}");
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn s5_a_name_in_a_certificate_does_nothing_to_the_terminal() {
    let authority = Authority::new();
    for name in ["\u{1b}[2J\u{7}.example", "a\nchat-client: b"] {
        let server = TlsListener::bind(authority.issue_with(&[], |params| {
            let name = name.try_into().expect("it is ASCII");
            params.subject_alt_names = vec![SanType::DnsName(name)];
        }));
        let refusing = client(&server, &authority.file, &["--tls"]);
        server.refused();
        let error = refusing.exit().failed(1);
        assert!(!error.contains(char::is_control), "{error}");
    }
}

#[test]
fn another_certificate_than_the_pinned_one_is_a_warning() {
    let authority = Authority::new();
    let flag = Identity::self_signed(&["127.0.0.1"]).flag();
    // Even if an authority vouches for it.
    let shown = authority.issue(&["127.0.0.1"]);
    let fingerprint = shown.fingerprint();
    let server = TlsListener::bind(shown);
    for (lang, warning) in [
        ("en", "Somebody may be in between, to read and change what is said. Nothing was sent."),
        ("ko", "누군가 중간에서 대화를 읽거나 바꾸려는 것일 수 있어요."),
    ] {
        let flags = ["--tls", &flag, &format!("--lang={lang}")];
        let refusing = client(&server, &authority.file, &flags);
        server.refused();
        let error = refusing.exit().failed(1);
        assert!(error.contains(warning) && error.contains(&fingerprint), "{error}");
    }
}

/// A certificate is public, so a server must prove that it is its own.
#[test]
fn a_pinned_certificate_without_its_key_is_refused() {
    let authority = Authority::new();
    for version in [&TLS13, &TLS12] {
        let certificate = Identity::self_signed(&["127.0.0.1"]);
        let flag = certificate.flag();
        let thief = certificate.with_key_of(Identity::self_signed(&["127.0.0.1"]));
        let server = TlsListener::bind_with(thief, &[version]);
        let refusing = client(&server, &authority.file, &[&flag]);
        server.refused();
        let error = refusing.exit().failed(1);
        let start = format!("the TLS handshake with {} failed: ", server.listener.address());
        assert!(error.starts_with(&start) && error.contains("BadSignature"), "{error}");
    }
}

#[test]
fn a_server_without_tls_is_reported() {
    for (answer, why) in [
        (frame(&system("You are too slow.", "frame-timeout")), "does not speak TLS"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), "does not speak TLS"),
        (b"SSH-2.0-OpenSSH_9.6p1\r\n".to_vec(), "does not speak TLS"),
        (vec![], "closed the connection during the TLS handshake. Does it speak TLS?"),
    ] {
        for flag in ["--tls", &format!("--tls-fingerprint={}", "0".repeat(64))] {
            let roots = Authority::new();
            let listener = Listener::bind();
            let flags = [flag, &listener.port_flag()];
            let client = Client::spawn(&mut program_with(&roots.file, &flags));
            let mut peer = listener.accept_hello();
            // Read first, so that closing does not reset the connection.
            let mut header = [0; 5];
            peer.0.read_exact(&mut header).expect("a record of TLS");
            let mut hello = vec![0; usize::from(u16::from_be_bytes([header[3], header[4]]))];
            peer.0.read_exact(&mut hello).expect("the client's first words");
            assert!(!hello.windows(4).any(|bytes| bytes == b"CSCh"), "nothing was said");
            peer.0.write_all(&answer).expect("the client reads");
            peer.end();
            let error = client.exit().failed(1);
            assert!(error.starts_with(&format!("{} {why}", listener.address())), "{error}");
        }
    }
}

#[test]
fn a_server_with_tls_is_reported_to_a_client_without() {
    let server = TlsListener::bind(Identity::self_signed(&["127.0.0.1"]));
    let mut client = Client::start(&[&server.listener.port_flag(), "--reconnect"]);
    client.write(b"hello\n");
    server.refused();
    let error = client.exit().failed(1);
    assert!(error.starts_with("the server speaks TLS. Use --tls, or "), "{error}");
}

#[test]
fn a_server_that_demands_tls_is_reported_to_a_client_without() {
    for (lang, notice, advice) in [
        ("en", "* This server takes encrypted connections only. ", "Use --tls, or "),
        ("ko", "* 이 서버는 암호화한 연결만 받아요. ", "--tls 옵션이나"),
    ] {
        let listener = Listener::bind();
        let flags = [&listener.port_flag(), "--reconnect", &format!("--lang={lang}")];
        let client = Client::start(&flags);
        let mut peer = listener.accept();
        let text = if lang == "en" { "암호화해 주세요." } else { "Encrypt." };
        peer.send(&system(text, "tls-required"));
        drop(peer);
        assert!(client.line().starts_with(notice));
        let error = client.exit().failed(1);
        assert!(error.contains(advice), "{error}");
    }
}

#[test]
fn authorities_that_cannot_be_read_are_reported() {
    let empty = TempFile::new(b"no PEM in here\n");
    let damaged = TempFile::new(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let cut = TempFile::new(b"-----BEGIN CERTIFICATE-----\nAAAA\n");
    let failed =
        |flag: &str| Client::spawn(&mut program_with(&empty, &["--port=9", flag])).exit().failed(1);
    let in_file = |file: &TempFile| failed(&format!("--tls-ca={}", file.path()));
    assert_eq!(
        failed("--tls-ca=/nowhere.pem"),
        "cannot read the certificates in /nowhere.pem: no such file or directory"
    );
    assert!(in_file(&empty).starts_with("no certificate is in "));
    assert!(in_file(&damaged).ends_with(" is damaged"));
    assert!(in_file(&cut).ends_with(" is damaged"));
    assert!(failed("--tls").starts_with("this system has no list of authorities to trust."));
}

#[test]
fn wrong_flags_for_tls_are_one_line_and_status_2() {
    let pin = format!("--tls-fingerprint={}", "0".repeat(64));
    for (flags, told) in [
        (&["--tls-ca=a.pem", pin.as_str()][..], "give either --tls-ca or --tls-fingerprint. "),
        (&["--tls-fingerprint=ab:cd"], "bad value \"ab:cd\" for --tls-fingerprint: "),
        (&["--tls-fingerprint"], "--tls-fingerprint needs a value. "),
        (&["--tls-ca="], "bad value \"\" for --tls-ca: it takes the name of a file. "),
        (&["--tls", "--ip=채팅.lan"], "bad value \"채팅.lan\" for --ip: no certificate has "),
    ] {
        let flags: Vec<&str> = ["--port=1"].iter().chain(flags).copied().collect();
        let error = Client::start(&flags).exit().failed(2);
        assert!(error.starts_with(told), "{error}");
    }
}
