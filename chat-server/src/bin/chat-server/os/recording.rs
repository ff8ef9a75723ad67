//! Files for recordings: new ones, which only this user can read.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The most recordings of one name.
const MOST: u32 = 1000;

/// Creates a recording: `path`, or if there is one already, `path.1`, `path.2` and so on. A server that has crashed and
/// starts again keeps the recording of the crash.
///
/// # Errors
/// If the file cannot be created.
pub(crate) fn create(path: &Path) -> io::Result<(PathBuf, File)> {
    let numbered = (1..MOST).map(|number| {
        let mut path = path.as_os_str().to_owned();
        path.push(format!(".{number}"));
        path.into()
    });
    for path in std::iter::once(path.to_owned()).chain(numbered) {
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            result => return result.map(|file| (path, file)),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}
