//! The bytes of a whole body. Large ones are lent: each thread of the allocator would keep its own
//! for a while.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

/// The most that are kept for the next bodies.
const MOST_KEPT: usize = 8;

/// The largest that is kept, in bytes.
const LARGEST_KEPT: usize = (1 << 20) + 1;

/// Large buffers that nobody uses.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct BufferPool(Arc<Mutex<Vec<Vec<u8>>>>);

/// A body as far as it has come.
#[derive(Debug, Default)]
pub(super) struct BodyBuffer {
    bytes: Vec<u8>,
    pool: Option<BufferPool>,
}

impl BodyBuffer {
    /// The same with room for so many bytes.
    pub(super) fn enlarged(mut self, most: usize, pool: &BufferPool) -> Self {
        if self.bytes.capacity() >= most {
            return self;
        }
        let lent = {
            let mut all = pool.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.pop()
        };
        let mut bytes = lent.unwrap_or_default();
        bytes.reserve_exact(most);
        bytes.extend_from_slice(&self.bytes);
        self.bytes = Vec::new();
        Self {
            bytes,
            pool: Some(pool.clone()),
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for BodyBuffer {
    fn drop(&mut self) {
        let mut bytes = mem::take(&mut self.bytes);
        if let Some(pool) = &self.pool
            && bytes.capacity() <= LARGEST_KEPT
        {
            let mut all = pool.0.lock().unwrap_or_else(PoisonError::into_inner);
            if all.len() < MOST_KEPT {
                bytes.clear();
                all.push(bytes);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_buffer_is_lent_again_and_holds_nothing_of_the_last() {
        let pool = BufferPool::default();
        let mut first = BodyBuffer::default();
        first.push(b"ab");
        let mut first = first.enlarged(100_000, &pool);
        first.push(b"c");
        assert_eq!(first.bytes(), b"abc");
        drop(first);
        assert_eq!(pool.0.lock().unwrap().len(), 1);
        let second = BodyBuffer::default().enlarged(90_000, &pool);
        assert_eq!(
            (second.bytes(), pool.0.lock().unwrap().len()),
            (&b""[..], 0)
        );
    }
}
