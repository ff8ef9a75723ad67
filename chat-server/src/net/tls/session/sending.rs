//! The sending side of a session: encrypts output, and sends parts of handshakes, alerts and the end.

use std::cell::RefCell;
use std::io::{self, ErrorKind, IoSlice};
use std::mem;

use rustls::unbuffered::{
    ConnectionState, EncodeError, EncodeTlsData, EncryptError, UnbufferedStatus,
};

use super::super::super::socket::Socket;
use super::{OVERHEAD, TlsSession};

/// The most bytes encrypted for one write: the content of the longest record.
const SEALED: usize = 16 * 1024;

thread_local! {
    /// The buffers in which all sessions of this thread gather slices, and into which they encrypt.
    static SEALING: RefCell<(Vec<u8>, Vec<u8>)> = const { RefCell::new((Vec::new(), Vec::new())) };
}

impl TlsSession {
    /// See [`Socket::write_vectored`]; the withheld byte is explained in [`super`].
    pub(crate) fn write(
        &mut self,
        transport: &mut impl Socket,
        slices: &[IoSlice<'_>],
    ) -> io::Result<usize> {
        if !self.is_open {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.flush(transport)?;
        let acknowledged = usize::from(mem::take(&mut self.is_withheld));
        SEALING.with_borrow_mut(|(gathered, records)| {
            let bytes = gather(slices, acknowledged, gathered);
            if bytes.is_empty() {
                return Ok(acknowledged);
            }
            let len = self.encrypt(bytes, records)?;
            let sent = loop {
                match transport.write_vectored(&[IoSlice::new(&records[..len])]) {
                    Ok(sent) => break sent,
                    Err(e) if e.kind() == ErrorKind::Interrupted => {}
                    Err(e) if e.kind() == ErrorKind::WouldBlock => break 0,
                    Err(e) => return Err(e),
                }
            };
            if sent == len {
                return Ok(acknowledged + bytes.len());
            }
            self.sealed = records[sent..len].to_vec();
            self.is_withheld = true;
            match acknowledged + bytes.len() - 1 {
                0 => Err(ErrorKind::WouldBlock.into()),
                written => Ok(written),
            }
        })
    }

    /// Encrypts into `records`. Returns their length.
    fn encrypt(&mut self, bytes: &[u8], records: &mut Vec<u8>) -> io::Result<usize> {
        // No whole record is kept, so there is nothing to process first.
        let UnbufferedStatus { state, .. } = self.tls.process_tls_records(&mut self.kept);
        let Ok(ConnectionState::WriteTraffic(mut traffic)) = state else {
            return Err(ErrorKind::InvalidData.into());
        };
        records.resize(records.len().max(SEALED + OVERHEAD), 0);
        loop {
            match traffic.encrypt(bytes, records) {
                Ok(len) => return Ok(len),
                Err(EncryptError::InsufficientSize(needed)) => {
                    records.resize(needed.required_size, 0);
                }
                Err(EncryptError::EncryptExhausted) => return Err(ErrorKind::InvalidData.into()),
            }
        }
    }

    /// Sends what is sealed.
    ///
    /// # Errors
    /// `WouldBlock` if the transport does not take all of it.
    pub(super) fn flush(&mut self, transport: &mut impl Socket) -> io::Result<()> {
        while self.sent < self.sealed.len() {
            match transport.write_vectored(&[IoSlice::new(&self.sealed[self.sent..])]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(sent) => self.sent += sent,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        if self.sent > 0 {
            (self.sealed, self.sent) = (Vec::new(), 0);
        }
        Ok(())
    }

    /// See [`Socket::shutdown_write`]. If the transport does not take everything, reads send the rest.
    pub(crate) fn shutdown(&mut self, transport: &mut impl Socket) -> io::Result<()> {
        self.say_goodbye();
        self.is_closing = true;
        match self.finish(transport) {
            Err(e) if e.kind() == ErrorKind::WouldBlock => Ok(()),
            result => result,
        }
    }

    pub(super) fn finish(&mut self, transport: &mut impl Socket) -> io::Result<()> {
        self.flush(transport)?;
        self.is_closing = false;
        transport.shutdown_write()
    }

    /// Seals a `close_notify`, once.
    fn say_goodbye(&mut self) {
        if mem::replace(&mut self.is_silent, true) || !self.is_open {
            return;
        }
        let mut alert = [0; OVERHEAD];
        let UnbufferedStatus { state, .. } = self.tls.process_tls_records(&mut self.kept);
        if let Ok(ConnectionState::WriteTraffic(mut traffic)) = state
            && let Ok(len) = traffic.queue_close_notify(&mut alert)
        {
            self.sealed.extend_from_slice(&alert[..len]);
        }
    }

    /// Makes the stream end without `close_notify`, because it is not complete.
    pub(crate) fn abandon(&mut self) {
        self.is_silent = true;
    }

    /// Tells the peer that the stream is complete, before the transport closes.
    pub(crate) fn close(&mut self, transport: &mut impl Socket) {
        if self.sealed.is_empty() && !self.is_silent {
            self.say_goodbye();
            // Nobody waits for the result.
            let _ = self.flush(transport);
        }
    }
}

/// Appends a part of the handshake, or an alert.
pub(super) fn encode<Data>(mut data: EncodeTlsData<'_, Data>, sealed: &mut Vec<u8>) {
    let before = sealed.len();
    loop {
        match data.encode(&mut sealed[before..]) {
            Ok(len) => return sealed.truncate(before + len),
            Err(EncodeError::InsufficientSize(needed)) => {
                sealed.resize(before + needed.required_size, 0);
            }
            Err(EncodeError::AlreadyEncoded) => return,
        }
    }
}

/// Returns as much of `slices`, after their first `skip` bytes, as fits a record: one slice, or several gathered in
/// `buffer`.
fn gather<'a>(slices: &'a [IoSlice<'_>], mut skip: usize, buffer: &'a mut Vec<u8>) -> &'a [u8] {
    buffer.clear();
    for (i, slice) in slices.iter().enumerate() {
        let bytes = &slice[skip.min(slice.len())..];
        skip -= slice.len() - bytes.len();
        let bytes = &bytes[..bytes.len().min(SEALED - buffer.len())];
        if buffer.is_empty() && (i + 1 == slices.len() || bytes.len() == SEALED) {
            return bytes;
        }
        buffer.extend_from_slice(bytes);
    }
    buffer
}
