//! The program's certificates: from files, self-signed, and replaced while it runs.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::{Certificate, Client, Folder, Program, run_to_end, wait_until};

fn flag(name: &str, path: &std::path::Path) -> String {
    format!("--{name}={}", path.display())
}

#[test]
fn a_hangup_replaces_the_certificate_unless_the_new_one_is_bad() {
    let folder = Folder::of("tls-hangup");
    let file = folder.path("both.pem");
    let [first, second] = [Certificate::make(), Certificate::make()];
    first.write(&file);
    let log = folder.path("log");
    let args = ["--port=0", "--log=info", "--tls=only", &flag("tls-cert", &file)];
    let mut program = Program::start_by_shell("", &args, &format!(" 2>'{}'", log.display()));
    let is_logged = |words: &str| fs::read_to_string(&log).is_ok_and(|log| log.contains(words));
    let address = program.address();
    let mut old = first.client_of(address);
    let is_trusted = |certificate: &Certificate| {
        let mut stream = certificate.connect(address);
        stream.0.conn.complete_io(&mut stream.0.sock).is_ok()
    };
    assert!(is_trusted(&first) && !is_trusted(&second));
    second.write(&file);
    program.signal("HUP");
    wait_until("the new one is shown", || is_trusted(&second));
    assert!(is_logged("certificate read again") && !is_trusted(&first));
    old.expect_nothing();
    fs::write(&file, "no certificate").expect("a temporary file");
    program.signal("HUP");
    wait_until("it is refused", || is_logged("certificate not replaced"));
    assert!(is_logged("both.pem: there is no certificate in it") && is_trusted(&second));
    old.expect_nothing();
    let mut plain = Client::connect(address);
    plain.send_raw(b"\0");
    plain.expect_code("tls-required");
    drop(plain);
    program.signal("TERM");
    old.expect_code("server-stopping");
    old.expect_end();
    drop(old);
    program.expect_success();
}

/// As on a file system that does not answer.
#[test]
fn a_certificate_that_cannot_be_read_to_its_end_keeps_no_signal_from_the_server() {
    let folder = Folder::of("tls-pipe");
    let file = folder.path("both.pem");
    let certificate = Certificate::make();
    certificate.write(&file);
    let mut program = Program::start(&["--port=0", &flag("tls-cert", &file)]);
    let mut client = certificate.client_of(program.address());
    fs::remove_file(&file).expect("it is there");
    rustix::fs::mkfifoat(rustix::fs::CWD, &file, rustix::fs::Mode::RWXU).expect("a pipe");
    for _ in 0..3 {
        program.signal("HUP");
        client.expect_nothing();
    }
    program.signal("TERM");
    client.expect_code("server-stopping");
    client.expect_end();
    drop(client);
    program.expect_success();
}

#[test]
fn a_certificate_of_its_own_is_made_once_and_kept() {
    let folder = Folder::of("tls-self-signed");
    let dir = folder.path("state");
    let dir_flag = flag("tls-dir", &dir);
    let mut fingerprints = Vec::new();
    for _ in 0..2 {
        let program = Program::start(&["--port=0", "--tls-self-signed", &dir_flag]);
        let address = program.address();
        fingerprints.push(program.next_line());
        let file = dir.join("self-signed.pem");
        let mode = fs::metadata(&file).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let certificate = Certificate::from_file(&file);
        drop(certificate.client_of(address));
        assert_eq!(
            fingerprints[0],
            format!("TLS fingerprint {}", certificate.config().fingerprint())
        );
        program.stop();
    }
    assert_eq!(fingerprints[0], fingerprints[1]);
}

/// A new certificate would have another fingerprint, which somebody has to tell people.
#[test]
fn a_certificate_of_its_own_has_the_names_for_browsers_or_is_warned_of() {
    let folder = Folder::of("tls-names");
    let (dir, log) = (folder.path("state"), folder.path("log"));
    let dir_flag = flag("tls-dir", &dir);
    let mut fingerprints = Vec::new();
    for (host, is_for) in [("chat.example.org", true), ("new.example.org", false)] {
        let host_flag = format!("--web-host={host}");
        let args = ["--port=0", "--log=warn", "--tls-self-signed", &dir_flag, &host_flag];
        let program = Program::start_by_shell("", &args, &format!(" 2>'{}'", log.display()));
        program.address();
        fingerprints.push(program.next_line());
        let made = Certificate::from_file(&dir.join("self-signed.pem")).config();
        assert_eq!(made.is_for(host), is_for);
        program.stop();
        let log = fs::read_to_string(&log).expect("it is there");
        let warning = log.lines().find(|line| line.contains("lacks names in web-host"));
        assert_eq!(warning.map(|line| line.contains(host)), (!is_for).then_some(true), "{log}");
    }
    assert_eq!(fingerprints[0], fingerprints[1]);
}

#[test]
fn an_unusable_certificate_is_a_configuration_error() {
    let folder = Folder::of("tls-wrong");
    let (file, other) = (folder.path("a.pem"), folder.path("b.pem"));
    Certificate::make().write(&file);
    Certificate::make().write(&other);
    let [cert, key] = [flag("tls-cert", &file), flag("tls-key", &other)];
    let nowhere = flag("tls-cert", &folder.path("c.pem"));
    for (flags, words) in [
        (&[&*cert, &key][..], "does not belong to the certificate"),
        (&[&nowhere], "c.pem: cannot read the file"),
        (&[&key], "--tls-key is there without --tls-cert"),
        (&[&cert, "--tls-self-signed"], "leave one of them out"),
        (&["--tls=only"], "TLS needs a certificate"),
        (&["--tls=on"], "TLS needs a certificate"),
        (&["--tls=maybe"], "must be one of on, only, off"),
        (&["--tls-self-signed=yes"], "takes no value"),
        (&["--tls-self-signed", "--tls-self-signed"], "is there twice"),
    ] {
        for check in [&["--check"][..], &[]] {
            let (code, output, errors) = run_to_end(&[&["--port=0"], flags, check].concat());
            assert_eq!((code, &*output), (Some(2), ""), "{flags:?}: {errors}");
            assert!(errors.contains(words), "{flags:?}: {errors}");
        }
    }
    let (code, output, _) = run_to_end(&["--port=0", &cert, "--tls=only", "--check"]);
    assert_eq!(code, Some(0));
    assert!(output.contains("tls = \"only\"\ntls-cert = "), "{output}");
    let (code, output, _) = run_to_end(&["--port=0", "--tls-self-signed", "--check"]);
    assert_eq!(code, Some(0));
    assert!(output.contains("\ntls-self-signed = true\n"), "{output}");
}

#[test]
fn a_place_that_keeps_nothing_is_an_error() {
    let folder = Folder::of("tls-no-place");
    let file = folder.path("file");
    fs::write(&file, "").expect("a temporary file");
    let dir = flag("tls-dir", &file.join("below"));
    let (code, _, errors) = run_to_end(&["--port=0", "--tls-self-signed", &dir]);
    assert_eq!(code, Some(1));
    assert!(errors.contains("cannot keep a certificate in"), "{errors}");
}
