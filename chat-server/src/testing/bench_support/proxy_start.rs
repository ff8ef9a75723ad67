//! The parser of PROXY headers, on its own.

use std::net::SocketAddr;

use crate::net::proxy_header::HeaderParser;

/// The beginning of a stream from a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyStart {
    /// A header of this many bytes, with the addresses of the client and the proxy if it names them.
    Header(usize, Option<(SocketAddr, SocketAddr)>),
    /// An incomplete header.
    Incomplete,
    /// No valid header.
    Invalid,
}

impl ProxyStart {
    /// Reads a stream that arrives in pieces.
    ///
    /// # Panics
    /// If the parser leaves bytes of an incomplete header.
    pub fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let (mut parser, mut len) = (HeaderParser::new(), 0);
        for piece in pieces {
            let Ok((taken, header)) = parser.feed(piece) else { return Self::Invalid };
            len += taken;
            if let Some(header) = header {
                return Self::Header(len, header.map(|client| (client.source, client.destination)));
            }
            assert_eq!(taken, piece.len(), "an incomplete header takes all there is");
        }
        Self::Incomplete
    }
}
