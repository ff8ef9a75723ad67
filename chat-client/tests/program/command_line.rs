//! Flags, good and bad.

use crate::support::{Client, Listener};

#[test]
fn both_forms_of_a_flag_connect() {
    let both: [fn(&str) -> Vec<String>; 2] = [
        |port| vec![format!("--port={port}"), "--ip=127.0.0.1".into()],
        |port| vec!["--port".into(), port.into(), "--ip".into(), "127.0.0.1".into()],
    ];
    for form in both {
        let listener = Listener::bind();
        let flags = form(&listener.address().port().to_string());
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let mut client = Client::start(&flags);
        let peer = listener.accept();
        client.end_input();
        peer.close_after(&[]);
        assert_eq!(client.exit().status, Some(0));
    }
}

#[test]
fn wrong_flags_are_one_line_that_names_them_and_status_2() {
    for (flags, named) in [
        (&[][..], "--port"),
        (&["--port=0"], "--port"),
        (&["--port", "65536"], "--port"),
        (&["--port=x\u{1b}\ny"], "--port"),
        (&["--port=1", "--ip=here"], "--ip"),
        (&["--port=1", "--colour"], "--colour"),
    ] {
        let exit = Client::start(flags).exit();
        assert_eq!((exit.status, exit.output, exit.errors.len()), (Some(2), vec![], 1));
        let line = &exit.errors[0];
        assert!(line.contains(named) && line.contains("1 to 65535"), "{line}");
    }
}

#[test]
fn help_is_output_and_no_failure() {
    let exit = Client::start(&["--help"]).exit();
    assert_eq!((exit.status, exit.errors), (Some(0), vec![]));
    let help = exit.output.join("\n");
    assert!(help.contains("--port") && help.contains("--ip") && help.contains("/help"), "{help}");
}
