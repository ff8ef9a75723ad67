//! A certificate for servers at loopback addresses, in files.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::error::Error;

/// A file of this process in the directory for temporary files, removed when it is dropped.
#[derive(Debug)]
pub struct TempFile(PathBuf);

impl TempFile {
    /// Writes a file that only its owner can read.
    ///
    /// # Errors
    /// If a file with its name exists, or it cannot be written.
    pub fn write(kind: &str, text: &str) -> Result<Self, Error> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("chat-benches-{}-{number}.{kind}", std::process::id());
        let path = std::env::temp_dir().join(name);
        // An existing file belongs to somebody else.
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        match file.and_then(|mut file| file.write_all(text.as_bytes())) {
            Ok(()) => Ok(Self(path)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Err(Error::Config(format!("{} is there already", path.display())))
            }
            Err(source) => Err(Error::Io { doing: "writing a temporary file", source }),
        }
    }

    /// The path of the file.
    pub fn path(&self) -> String {
        self.0.to_string_lossy().into_owned()
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        // Nothing can be done if this fails.
        let _ = fs::remove_file(&self.0);
    }
}

/// A self-signed certificate (ECDSA, P-256) and its key, in PEM.
#[derive(Debug)]
pub struct Certificate {
    /// The file of the certificate.
    pub cert: TempFile,
    /// The file of the key.
    pub key: TempFile,
}

impl Certificate {
    /// Makes a certificate for 127.0.0.1.
    ///
    /// # Errors
    /// If the files cannot be written.
    pub fn new() -> Result<Self, Error> {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])
            .map_err(|error| Error::Config(format!("making a certificate: {error}")))?;
        Ok(Self {
            cert: TempFile::write("cert.pem", &made.cert.pem())?,
            key: TempFile::write("key.pem", &made.signing_key.serialize_pem())?,
        })
    }

    /// The chat server's arguments to use it.
    pub fn arguments(&self) -> [String; 2] {
        [format!("--tls-cert={}", self.cert.path()), format!("--tls-key={}", self.key.path())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_are_there_as_long_as_the_certificate() {
        let certificate = Certificate::new().expect("there is a directory for them");
        let files = [certificate.cert.path(), certificate.key.path()];
        let [cert, key] =
            files.each_ref().map(|file| fs::read_to_string(file).expect("it is there"));
        assert!(cert.starts_with("-----BEGIN CERTIFICATE-----"), "{cert}");
        assert!(key.starts_with("-----BEGIN PRIVATE KEY-----"), "{key}");
        drop(certificate);
        assert!(files.iter().all(|file| fs::metadata(file).is_err()));
    }
}
