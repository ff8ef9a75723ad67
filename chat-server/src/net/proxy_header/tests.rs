//! Valid and invalid headers, in pieces of any size.

use proptest::prelude::*;

use super::*;

/// Feeds a stream in pieces of `piece` bytes. Returns the length of the header, and the header.
fn parse_in_pieces(stream: &[u8], piece: usize) -> Result<Option<(usize, ProxyHeader)>, BadHeader> {
    let (mut parser, mut total) = (HeaderParser::new(), 0);
    while total < stream.len() {
        let end = stream.len().min(total + piece);
        let (taken, header) = parser.feed(&stream[total..end])?;
        total += taken;
        if let Some(header) = header {
            return Ok(Some((total, header)));
        }
        assert_eq!(total, end, "an incomplete header takes all that is there");
    }
    Ok(None)
}

/// The result for a stream, which does not depend on the pieces.
fn parse(stream: &[u8]) -> Result<Option<(usize, ProxyHeader)>, BadHeader> {
    let whole = parse_in_pieces(stream, stream.len().max(1));
    for piece in [1, 2, 3, 7, 16, 100] {
        assert_eq!(parse_in_pieces(stream, piece), whole, "in pieces of {piece}");
    }
    whole
}

fn from(source: &str, destination: &str) -> ProxyHeader {
    let [source, destination] = [source, destination].map(|a| a.parse().expect("an address"));
    Some(ProxiedFor { source, destination })
}

/// A header of version 2.
fn v2(version_and_command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let len = u16::try_from(rest.len()).expect("it is not too long");
    [V2, &[version_and_command, family], &len.to_be_bytes(), rest].concat()
}

const IPV4: [u8; 12] = [192, 0, 2, 7, 127, 0, 0, 1, 0x30, 0x39, 0x23, 0x28];

fn ipv6() -> Vec<u8> {
    let ip = |text: &str| text.parse::<Ipv6Addr>().expect("an address").octets();
    [&ip("2001:db8::7")[..], &ip("::1"), &[0x30, 0x39, 0x23, 0x28]].concat()
}

#[test]
fn a11_headers_of_both_versions_say_who_connects() {
    let v4 = from("192.0.2.7:12345", "127.0.0.1:9000");
    let v6 = from("[2001:db8::7]:12345", "[::1]:9000");
    let long = "PROXY UNKNOWN ".to_owned() + &"f".repeat(V1_MAX - 16) + "\r\n";
    assert_eq!(long.len(), V1_MAX);
    let big = vec![0; 65_535];
    let tlv = [0xe2, 0, 3, 1, 2, 3];
    for (stream, header) in [
        (b"PROXY TCP4 192.0.2.7 127.0.0.1 12345 9000\r\n".to_vec(), v4),
        (b"PROXY TCP6 2001:db8::7 ::1 12345 9000\r\n".to_vec(), v6),
        (
            b"PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n".to_vec(),
            from("0.0.0.0:0", "255.255.255.255:65535"),
        ),
        (b"PROXY UNKNOWN\r\n".to_vec(), None),
        (b"PROXY UNKNOWN \xff\x00 whatever 1 2 3\r\n".to_vec(), None),
        (long.into_bytes(), None),
        (v2(0x21, 0x11, &IPV4), v4),
        (v2(0x21, 0x11, &[&IPV4[..], &tlv].concat()), v4),
        (v2(0x21, 0x21, &ipv6()), v6),
        (v2(0x21, 0x21, &[&ipv6()[..], &big[..60_000]].concat()), v6),
        (v2(0x20, 0x00, &[]), None),
        (v2(0x20, 0x11, &IPV4), None),
        (v2(0x20, 0xff, &[1]), None),
        (v2(0x21, 0x00, &tlv), None),
        (v2(0x21, 0x31, &[0; 216]), None),
        (v2(0x21, 0x00, &big), None),
    ] {
        let len = stream.len();
        assert_eq!(
            parse(&stream),
            Ok(Some((len, header))),
            "{:?}",
            stream.escape_ascii().to_string()
        );
        // Whatever follows is not part of it, even another header.
        let more = [&stream[..], &stream, b"\0\x02{}"].concat();
        assert_eq!(parse(&more), Ok(Some((len, header))));
        for end in [0, 1, 5, 6, 12, 15, 16, 17, len / 2, len - 1] {
            assert_eq!(parse(&stream[..end.min(len - 1)]), Ok(None), "{end} of {len}");
        }
    }
}

#[test]
fn a11_an_invalid_header_is_refused_at_its_first_wrong_byte() {
    let wrong_lines = [
        "PROXY TCP4 192.0.2.7 127.0.0.1 12345 9000\n",
        "PROXY TCP4 192.0.2.7 127.0.0.1 12345 9000\r\r\n",
        "PROXY TCP4 192.0.2.7 127.0.0.1 12345\r\n",
        "PROXY TCP4 192.0.2.7 127.0.0.1 12345 9000 1\r\n",
        "PROXY TCP4 192.0.2.7 127.0.0.1 12345 9000 \r\n",
        "PROXY TCP4  192.0.2.7 127.0.0.1 12345 9000\r\n",
        "PROXY  TCP4 192.0.2.7 127.0.0.1 12345 9000\r\n",
        "PROXY TCP4 192.0.2.07 127.0.0.1 12345 9000\r\n",
        "PROXY TCP4 192.0.2 127.0.0.1 12345 9000\r\n",
        "PROXY TCP4 0x7f.0.0.1 127.0.0.1 12345 9000\r\n",
        "PROXY TCP4 ::1 127.0.0.1 12345 9000\r\n",
        "PROXY TCP6 192.0.2.7 ::1 12345 9000\r\n",
        "PROXY TCP6 [::1] ::1 12345 9000\r\n",
        "PROXY TCP6 fe80::1%2 ::1 12345 9000\r\n",
        "PROXY TCP4 192.0.2.7 127.0.0.1 012345 9000\r\n",
        "PROXY TCP4 192.0.2.7 127.0.0.1 00 9000\r\n",
        "PROXY TCP4 192.0.2.7 127.0.0.1 +1 9000\r\n",
        "PROXY TCP4 192.0.2.7 127.0.0.1 -1 9000\r\n",
        "PROXY TCP4 192.0.2.7 127.0.0.1 65536 9000\r\n",
        "PROXY TCP4 192.0.2.7 127.0.0.1  9000\r\n",
        "PROXY TCP5 192.0.2.7 127.0.0.1 12345 9000\r\n",
        "PROXY UDP4 192.0.2.7 127.0.0.1 12345 9000\r\n",
        "PROXY tcp4 192.0.2.7 127.0.0.1 12345 9000\r\n",
        "PROXY UNKNOWNX\r\n",
        "PROXY \r\n",
        "PROXY\r\n",
        "proxy TCP4 192.0.2.7 127.0.0.1 12345 9000\r\n",
        "GET / HTTP/1.1\r\n",
        "\0\x02{}",
        "\r\n\r\n\0\r\nQUIT\r",
    ];
    let too_long = format!("PROXY UNKNOWN {}\r\n", "f".repeat(V1_MAX - 15));
    for line in wrong_lines.into_iter().chain([&*too_long]) {
        assert_eq!(parse(line.as_bytes()), Err(BadHeader), "{line:?}");
    }
    let (versions_and_commands, families, lengths) = (V2.len(), V2.len() + 1, V2_FIXED - 1);
    for (at, stream) in [
        (versions_and_commands, v2(0x11, 0x11, &IPV4)),
        (versions_and_commands, v2(0x31, 0x11, &IPV4)),
        (versions_and_commands, v2(0x22, 0x11, &IPV4)),
        (versions_and_commands, v2(0x2f, 0x11, &IPV4)),
        (families, v2(0x21, 0x12, &IPV4)),
        (families, v2(0x21, 0x22, &ipv6())),
        (families, v2(0x21, 0x01, &IPV4)),
        (families, v2(0x21, 0x41, &IPV4)),
        (families, v2(0x21, 0xff, &IPV4)),
        (lengths, v2(0x21, 0x11, &IPV4[..11])),
        (lengths, v2(0x21, 0x11, &[])),
        (lengths, v2(0x21, 0x21, &ipv6()[..35])),
        (lengths, v2(0x21, 0x21, &IPV4)),
    ] {
        assert_eq!(parse(&stream[..=at]), Err(BadHeader), "{stream:?}");
        assert_eq!(parse(&stream[..at]), Ok(None), "{stream:?}");
    }
    // Each byte of the signature matters.
    for (signature, valid) in [(V1, &b"PROXY UNKNOWN\r\n"[..]), (V2, &v2(0x20, 0, &[]))] {
        for at in 0..signature.len() {
            let mut stream = valid.to_vec();
            stream[at] ^= 0x20;
            assert_eq!(parse(&stream[..=at]), Err(BadHeader), "byte {at}");
        }
    }
}

proptest! {
    #[test]
    fn a11_any_bytes_mean_the_same_in_any_pieces(
        start in prop::sample::select(vec![
            &b""[..], V1, b"PROXY TCP4 ", b"PROXY TCP6 ", b"PROXY UNKNOWN", V2,
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0", b"\r\n\r\n\0\r\nQUIT\n\x21\x21\0",
        ]),
        bytes in prop::collection::vec(any::<u8>(), 0..150),
        cut in 1..40_usize,
    ) {
        let stream = [start, &bytes].concat();
        let whole = parse_in_pieces(&stream, stream.len().max(1));
        prop_assert_eq!(&parse_in_pieces(&stream, cut), &whole);
        prop_assert_eq!(parse_in_pieces(&stream, 1), whole);
    }

    #[test]
    fn a11_every_address_comes_through_both_versions(
        v4: ([u8; 4], [u8; 4]), v6: ([u8; 16], [u8; 16]), ports: (u16, u16),
    ) {
        let (a, b) = ports;
        for (family, name, ips, octets) in [
            (0x11, "TCP4", [IpAddr::from(v4.0), v4.1.into()], [&v4.0[..], &v4.1].concat()),
            (0x21, "TCP6", [IpAddr::from(v6.0), v6.1.into()], [&v6.0[..], &v6.1].concat()),
        ] {
            let [source, destination] = [SocketAddr::new(ips[0], a), SocketAddr::new(ips[1], b)];
            let header = Some(ProxiedFor { source, destination });
            let line = format!("PROXY {name} {} {} {a} {b}\r\n", ips[0], ips[1]);
            prop_assert_eq!(parse(line.as_bytes()), Ok(Some((line.len(), header))));
            let binary = v2(0x21, family, &[&octets[..], &a.to_be_bytes(), &b.to_be_bytes()].concat());
            prop_assert_eq!(parse(&binary), Ok(Some((binary.len(), header))));
        }
    }
}
