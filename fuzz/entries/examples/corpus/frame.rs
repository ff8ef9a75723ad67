//! Streams for the frame decoder.

use crate::{Case, framed};

/// All in one piece.
const WHOLE: &[u8] = &[0];
/// Byte by byte.
const BYTES: &[u8] = &[1, 0];
/// Pieces of 1, 3 and 2 bytes in turn.
const UNEVEN: &[u8] = &[3, 0, 2, 1];

pub(crate) fn cases() -> Vec<Case> {
    let three = [framed("one"), framed(""), framed("three")].concat();
    let cut = |pieces: &[u8], stream: &[u8]| [pieces, stream].concat();
    let mut long = framed(vec![b' '; 65_535]);
    long.extend_from_slice(&framed("next"));
    let mut cases = vec![
        Case("p1-empty-frame", cut(WHOLE, &framed(""))),
        Case("p1-100-empty-frames", cut(UNEVEN, &framed("").repeat(100))),
        Case("p2-65535-bytes", cut(&[1, 200], &long)),
        Case("p2-65535-announced-1-come", cut(WHOLE, &[0xff, 0xff, b'x'])),
        Case("p3-three-frames-whole", cut(WHOLE, &three)),
        Case("p3-three-frames-byte-by-byte", cut(BYTES, &three)),
        Case("p3-three-frames-uneven", cut(UNEVEN, &three)),
        Case("p3-header-split", cut(&[2, 0, 63], &framed("{}"))),
        Case("p4-half-a-header", cut(WHOLE, &[0])),
        Case("p4-header-alone", cut(WHOLE, &[0, 3])),
        Case("p4-frame-cut-short", cut(BYTES, &[0, 3, b'a', b'b'])),
        Case("p8-http-as-frame", cut(WHOLE, b"GET / HTTP/1.1\r\n\r\n")),
        Case("p9-little-endian", cut(WHOLE, b"\x12\0{\"type\":\"CSRooms\"}")),
        Case("nothing", Vec::new()),
        Case("pieces-of-nothing", cut(UNEVEN, b"")),
    ];
    let at = ["p3-cut-at-1", "p3-cut-at-2", "p3-cut-at-3", "p3-cut-at-4", "p3-cut-at-5"];
    for (name, at) in at.into_iter().zip(0_u8..) {
        cases.push(Case(name, cut(&[2, at, 255], &three)));
    }
    cases
}
