//! Empty chunks, kept for their memory; and the memory of chunks that outlive their rooms.

use std::cell::Cell;
use std::rc::Rc;

use super::chunk::Chunk;
use super::memory_share::MemoryShare;

/// Chunks that nobody needs any more, for the next room that does.
#[derive(Debug, Default)]
pub(crate) struct ChunkPool {
    chunks: Vec<Rc<Chunk>>,
    /// The capacity of `chunks` together, in bytes.
    capacity: usize,
    /// Memory of chunks that their rooms have let go of while a connection has not.
    detached: Rc<Cell<usize>>,
}

impl ChunkPool {
    /// The capacity kept at most, in bytes: a chunk of 2 KiB for each of 2,000 rooms that talk in the
    /// same turn.
    const MAX_CAPACITY: usize = 4 * 1024 * 1024;

    /// The largest chunk kept, in bytes. A quiet room may be given it, and a slow reader of that room
    /// then holds it for very little.
    const MAX_CHUNK: usize = 8 * 1024;

    /// Returns an empty chunk for a log that is `start` bytes long.
    pub(crate) fn take(&mut self, start: u64) -> Rc<Chunk> {
        let mut chunk = self.chunks.pop().unwrap_or_default();
        self.capacity -= chunk.capacity();
        Rc::get_mut(&mut chunk).expect("only unshared chunks are kept").restart(start);
        chunk
    }

    /// Takes a chunk back from its room, to be used again unless a connection still refers to it.
    pub(crate) fn put(&mut self, mut chunk: Rc<Chunk>) {
        if Rc::get_mut(&mut chunk).is_none() {
            chunk.share.get_or_init(|| MemoryShare::new(&self.detached, chunk.memory()));
            return;
        }
        let capacity = self.capacity + chunk.capacity();
        if chunk.capacity() <= Self::MAX_CHUNK && capacity <= Self::MAX_CAPACITY {
            self.capacity = capacity;
            self.chunks.push(chunk);
        }
    }

    /// Memory of chunks that only connections refer to, in bytes.
    pub(crate) fn detached_memory(&self) -> usize {
        self.detached.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_that_is_still_referred_to_is_counted_and_not_reused() {
        let mut pool = ChunkPool::default();
        let chunk = pool.take(7);
        let pending = Rc::clone(&chunk);
        pool.put(chunk);
        assert!(pool.chunks.is_empty());
        assert_eq!(pool.detached_memory(), pending.memory());
        drop(pending);
        assert_eq!(pool.detached_memory(), 0);
        let chunk = pool.take(8);
        pool.put(chunk);
        assert_eq!(pool.chunks.len(), 1);
        assert_eq!(pool.take(9).end(), 9);
    }

    #[test]
    fn the_capacity_of_a_pool_is_bounded() {
        let mut pool = ChunkPool::default();
        let mut put = |len| {
            let mut chunk = Chunk::default();
            chunk.append(None, |out| out.resize(len, 0));
            pool.put(Rc::new(chunk));
        };
        put(ChunkPool::MAX_CHUNK + 1);
        for _ in 0..1_000 {
            put(ChunkPool::MAX_CHUNK);
        }
        assert_eq!(pool.chunks.len(), ChunkPool::MAX_CAPACITY / ChunkPool::MAX_CHUNK);
        while !pool.chunks.is_empty() {
            pool.take(0);
        }
        assert_eq!(pool.capacity, 0);
    }
}
