//! The memory for heads of answers that are larger than usual.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::super::phase_timings::PhaseTimings;
use super::super::thread_wait;

/// The largest head that is taken for honest, in bytes, in both protocols.
pub(super) const MOST_HEAD: usize = 256 * 1024;

/// The memory that all checks of a process share for heads of answers that are larger than
/// usual. A check that needs some waits for it inside its timeout.
#[derive(Clone, Debug)]
pub(in super::super) struct HeadMemory(Arc<Semaphore>);

impl HeadMemory {
    /// What all large heads may take together, in bytes.
    const ALL: usize = 32 << 20;

    /// What one takes at most: it grows by doubling, and the allocator keeps for a while what it was
    /// before: 128 KiB, 64 KiB and so on, as much again in all.
    const ONE: usize = 2 * MOST_HEAD;

    pub(in super::super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(Self::ALL / Self::ONE)))
    }

    /// Waits for room for one large head.
    pub(super) async fn room(self, timings: Arc<PhaseTimings>) -> Option<Room> {
        self.rooms(1, timings).await
    }

    /// Waits for room for so many bytes of a body, at most all that there is.
    pub(super) async fn room_for(self, bytes: usize, timings: Arc<PhaseTimings>) -> Option<Room> {
        let count = bytes.div_ceil(Self::ONE).clamp(1, Self::ALL / Self::ONE);
        self.rooms(u32::try_from(count).unwrap_or(1), timings).await
    }

    async fn rooms(self, count: u32, timings: Arc<PhaseTimings>) -> Option<Room> {
        if let Ok(room) = Arc::clone(&self.0).try_acquire_many_owned(count) {
            return Some(Room(room));
        }
        timings.wait_for_memory(true);
        let room = thread_wait::elsewhere(self.0.acquire_many_owned(count))
            .await
            .ok()?;
        timings.wait_for_memory(false);
        Some(Room(room))
    }
}

/// Room for one large head, until it is dropped.
#[derive(Debug)]
pub(super) struct Room(
    #[expect(dead_code, reason = "held for what it gives back when it is dropped")]
    tokio::sync::OwnedSemaphorePermit,
);
