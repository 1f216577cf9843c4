//! How many connections the demo server has room for.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What the process needs besides connections: listeners, pipes, the runtime's own.
const RESERVED: u64 = 96;

/// Raises the limit of open files towards what `wanted` connections need, as far as the
/// system allows, and returns how many there is room for, at least one.
pub(super) fn room_for_connections(wanted: usize) -> usize {
    let wanted_files = u64::try_from(wanted)
        .unwrap_or(u64::MAX)
        .saturating_add(RESERVED);
    let limit = getrlimit(Resource::Nofile);
    // No limit is as good as the highest one.
    let (mut current, most) = (limit.current.unwrap_or(u64::MAX), limit.maximum);
    let target = wanted_files.min(most.unwrap_or(u64::MAX));
    if current < target {
        let raised = Rlimit {
            current: Some(target),
            maximum: most,
        };
        match setrlimit(Resource::Nofile, raised) {
            Ok(()) => current = target,
            Err(error) => tracing::debug!(%error, "the limit of open files stays as it is"),
        }
    }
    let room = wanted_files.min(current).saturating_sub(RESERVED).max(1);
    usize::try_from(room).unwrap_or(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_few_and_never_more_than_was_wanted() {
        assert_eq!(room_for_connections(10), 10);
        assert!((1..=4_000).contains(&room_for_connections(4_000)));
    }
}
