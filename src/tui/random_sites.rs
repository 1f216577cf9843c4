//! Sites with random names after random results, for property tests.

use std::time::Duration;

use proptest::prelude::*;

use super::fixture::{Fixture, site};

/// Fixtures of sites with random names after random results.
pub(crate) fn random_fixtures() -> impl Strategy<Value = Fixture> {
    let events = prop::collection::vec((0_usize..12, 0_u8..8, 0_u64..20_000), 0..80);
    let names = prop::collection::hash_set("\\PC{1,30}", 0..12);
    (names, events).prop_map(|(names, events)| {
        let names: Vec<_> = names.into_iter().collect();
        let mut fixture = Fixture::new(names.iter().map(|name| site(name)).collect());
        for (index, event, millis) in events {
            let Some(name) = names.get(index) else {
                continue;
            };
            match event {
                0 => fixture.time_out(name),
                1 => fixture.fail(name, 503),
                2 => fixture.blind(name),
                3 => fixture.miss(name),
                4 => {
                    let id = fixture.id(name);
                    fixture
                        .monitor
                        .set_paused(id, millis % 2 == 0, fixture.now());
                }
                _ => fixture.pass(name, millis),
            }
            fixture.advance(Duration::from_millis(millis));
        }
        fixture
    })
}
