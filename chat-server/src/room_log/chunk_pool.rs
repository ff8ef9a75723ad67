//! Spare chunks, kept for their memory; and the memory of chunks that outlive their rooms.

use std::cell::Cell;
use std::rc::Rc;

use super::chunk::Chunk;
use super::memory_share::MemoryShare;

/// Spare chunks for the next rooms that need one.
#[derive(Debug, Default)]
pub(crate) struct ChunkPool {
    chunks: Vec<Rc<Chunk>>,
    /// Memory of `chunks` together, in bytes.
    memory: usize,
    /// Memory of chunks that their rooms have released while a connection has not.
    detached: Rc<Cell<usize>>,
}

impl ChunkPool {
    /// The most memory that is kept, in bytes: a chunk of 2 KiB for each of 2,000 rooms that talk in the same turn.
    const MAX_MEMORY: usize = 4 * 1024 * 1024;

    /// The largest chunk that is kept, in bytes. A quiet room may be given it, and a slow reader of that room then
    /// holds all of it for very little text.
    const MAX_CHUNK: usize = 8 * 1024;

    /// Returns an empty chunk for a log that is `start` bytes long.
    pub(crate) fn take(&mut self, start: u64) -> Rc<Chunk> {
        let mut chunk = match self.chunks.pop() {
            Some(chunk) => {
                self.memory -= chunk.memory();
                chunk
            }
            None => Rc::default(),
        };
        Rc::get_mut(&mut chunk).expect("only unshared chunks are kept").restart(start);
        chunk
    }

    /// Takes a chunk back from its room, and keeps it unless a connection still refers to it.
    pub(crate) fn put(&mut self, mut chunk: Rc<Chunk>) {
        if Rc::get_mut(&mut chunk).is_none() {
            chunk.share.get_or_init(|| MemoryShare::new(&self.detached, chunk.memory()));
            return;
        }
        let memory = self.memory + chunk.memory();
        if chunk.memory() <= Self::MAX_CHUNK && memory <= Self::MAX_MEMORY {
            self.memory = memory;
            self.chunks.push(chunk);
        }
    }

    /// Memory of the spare chunks, in bytes.
    pub(crate) fn spare_memory(&self) -> usize {
        self.memory + self.chunks.capacity() * size_of::<Rc<Chunk>>()
    }

    /// Frees the spare chunks.
    pub(crate) fn free_spare(&mut self) {
        self.chunks = Vec::new();
        self.memory = 0;
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

    /// Memory of a chunk without its bytes.
    fn chunk_size() -> usize {
        Chunk::default().memory()
    }

    #[test]
    fn the_memory_of_a_pool_is_bounded() {
        let mut pool = ChunkPool::default();
        let mut put = |len| {
            let mut chunk = Chunk::default();
            chunk.append(None, |out| *out = vec![0; len - chunk_size()]);
            pool.put(Rc::new(chunk));
        };
        put(ChunkPool::MAX_CHUNK + 1);
        for _ in 0..1_000 {
            put(ChunkPool::MAX_CHUNK);
        }
        assert_eq!(pool.chunks.len(), ChunkPool::MAX_MEMORY / ChunkPool::MAX_CHUNK);
        while !pool.chunks.is_empty() {
            pool.take(0);
        }
        assert_eq!(pool.memory, 0);
    }
}
