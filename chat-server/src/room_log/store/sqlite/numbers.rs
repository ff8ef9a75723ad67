//! What must survive a killed process although the database has not got it yet, in a small file of its own.
//!
//! The database is written some milliseconds after the members have seen a broadcast. A process that is killed in
//! between must not give a number of a room or of a broadcast to another one afterwards. So this file is overwritten in
//! place, before anybody sees what it speaks of: with the number of the next room, whether everything handed over is in
//! the database, and whether something has been given up. That needs no space on the disk, and no waiting: the kernel
//! has the bytes when the call returns, and keeps them when the process is killed. It does not keep them when power
//! fails; the id of the boot shows whether it may have.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::lock::open_private;

/// What the file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record {
    /// The number of the next room.
    pub(super) next_room: u64,
    /// The server ended in order: everything is in the database, which is on the disk.
    pub(super) is_clean: bool,
    /// Everything that was broadcast is in the database.
    pub(super) is_settled: bool,
    /// Broadcasts have been given up, and the database does not know their numbers yet.
    pub(super) has_lost: bool,
    /// The database says the same, unless it has been replaced.
    pub(super) stamp: u64,
    /// The boot in which this was written.
    pub(super) boot: u128,
}

impl Record {
    const MAGIC: u64 = u64::from_le_bytes(*b"chatnum1");
    const LEN: usize = 56;

    fn to_bytes(self) -> [u8; Self::LEN] {
        let flags = u64::from(self.is_clean)
            | u64::from(self.is_settled) << 1
            | u64::from(self.has_lost) << 2;
        let words = [Self::MAGIC, self.next_room, flags, self.stamp];
        let boot = [self.boot as u64, (self.boot >> 64) as u64];
        let mut bytes = [0; Self::LEN];
        let mut sum = 0_u64;
        let words = words.into_iter().chain(boot);
        for (chunk, word) in bytes.chunks_exact_mut(8).zip(words) {
            chunk.copy_from_slice(&word.to_le_bytes());
            sum = sum.rotate_left(7) ^ word;
        }
        bytes[Self::LEN - 8..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut words = [0; Self::LEN / 8];
        for (word, chunk) in words.iter_mut().zip(bytes.chunks_exact(8)) {
            *word = u64::from_le_bytes(chunk.try_into().ok()?);
        }
        let [_, next_room, flags, stamp, boot, more_boot, _] = words;
        let record = Self {
            next_room,
            is_clean: flags & 1 != 0,
            is_settled: flags & 2 != 0,
            has_lost: flags & 4 != 0,
            stamp,
            boot: u128::from(boot) | u128::from(more_boot) << 64,
        };
        (record.to_bytes() == bytes).then_some(record)
    }
}

/// The file, open for the time of a server.
#[derive(Debug)]
pub(super) struct Numbers {
    file: File,
    record: Record,
    /// The file failed to take the last record. Numbers may repeat after a kill.
    pub(super) has_failed: bool,
}

impl Numbers {
    /// What the last server has left, unless there is nothing or it is damaged.
    pub(super) fn left_in(path: &Path) -> Option<Record> {
        let mut bytes = Vec::new();
        File::open(path).ok()?.take(4096).read_to_end(&mut bytes).ok()?;
        Record::from_bytes(&bytes)
    }

    /// Begins with a record, which is on the disk when this returns: a power failure must not bring an older one back.
    pub(super) fn begin(path: &Path, record: Record) -> io::Result<Self> {
        let file = open_private(path)?;
        file.set_len(Record::LEN as u64)?;
        file.write_all_at(&record.to_bytes(), 0)?;
        file.sync_all()?;
        Ok(Self { file, record, has_failed: false })
    }

    /// What the file says.
    pub(super) fn record(&self) -> &Record {
        &self.record
    }

    /// Changes what the file says. The kernel has it when this returns.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut Record)) {
        let before = self.record;
        change(&mut self.record);
        if self.record != before || self.has_failed {
            self.has_failed = self.file.write_all_at(&self.record.to_bytes(), 0).is_err();
        }
    }

    /// Ends in order. The disk has it when this returns.
    pub(super) fn end(&mut self) -> io::Result<()> {
        self.record.is_clean = true;
        self.file.write_all_at(&self.record.to_bytes(), 0)?;
        self.file.sync_all()
    }
}

/// The id of this boot; 0 if the system has none to tell.
pub(super) fn boot() -> u128 {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    u128::from_str_radix(&id.trim().replace('-', ""), 16).unwrap_or(0)
}

/// Random bits.
pub(super) fn random() -> io::Result<u64> {
    let mut bytes = [0; 8];
    getrandom::getrandom(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_written_and_nothing_else_is_one() {
        let record = Record {
            next_room: 7,
            is_clean: false,
            is_settled: true,
            has_lost: true,
            stamp: u64::MAX,
            boot: 1 << 100 | 5,
        };
        let bytes = record.to_bytes();
        assert_eq!(Record::from_bytes(&bytes), Some(record));
        for at in 0..bytes.len() {
            let mut damaged = bytes;
            damaged[at] ^= 0x10;
            assert_eq!(Record::from_bytes(&damaged), None, "byte {at}");
            assert_eq!(Record::from_bytes(&bytes[..at]), None, "{at} bytes");
        }
        assert_ne!(boot(), 0, "Linux has one");
    }
}
