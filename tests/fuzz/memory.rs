//! The memory that an input takes: every allocation is counted.

use peak_alloc::PeakAlloc;

#[global_allocator]
static COUNTED: PeakAlloc = PeakAlloc;

/// The most bytes that `work` held at once, beyond what was held before.
pub(crate) fn peak(work: impl FnOnce()) -> usize {
    COUNTED.reset_peak_usage();
    let before = COUNTED.current_usage();
    work();
    COUNTED.peak_usage().saturating_sub(before)
}
