//! A data directory belongs to one process at a time. SQLite would let a second one in.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::process;

use super::error::{StoreError, StoreFault};

/// The lock on a directory. The kernel releases it with the process, however that ends.
#[derive(Debug)]
pub(super) struct DirLock {
    _file: File,
}

impl DirLock {
    /// Creates the directory if it is missing, readable by its owner only, and takes it.
    ///
    /// # Errors
    /// [`StoreFault::InUse`] if another process has it.
    pub(super) fn take(dir: &Path) -> Result<Self, StoreError> {
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700).create(dir).map_err(StoreError::io(dir))?;
        let path = dir.join("lock");
        let failed = StoreError::io(&path);
        let mut file = open_private(&path).map_err(&failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                let _ = file.take(20).read_to_string(&mut pid);
                return Err(StoreError::new(dir, StoreFault::InUse(pid.trim().parse().ok())));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        // For the message of the next one only: a full disk must not keep a server from starting.
        let _ = file.set_len(0).and_then(|()| file.rewind());
        let _ = writeln!(file, "{}", process::id());
        Ok(Self { _file: file })
    }
}

/// Opens a file to read and write, and creates it if it is missing, for its owner only.
pub(super) fn open_private(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}
