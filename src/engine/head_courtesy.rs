//! Which sites are asked by GET at once, because their HEAD was wrong: until the next
//! configuration.

use std::collections::HashMap;
use std::sync::Arc;

use crate::domain::{CheckResult, CheckSpec, MethodChoice, SiteId};

/// The check specs of the sites that are asked by GET instead.
#[derive(Debug, Default)]
pub(super) struct HeadCourtesy(HashMap<SiteId, Arc<CheckSpec>>);

impl HeadCourtesy {
    /// The spec to check `site` by, of which `own` is the configured one.
    pub(super) fn spec(&self, site: SiteId, own: &Arc<CheckSpec>) -> Arc<CheckSpec> {
        Arc::clone(self.0.get(&site).unwrap_or(own))
    }

    /// Remembers the site of `result` if its HEAD was wrong.
    pub(super) fn learn(&mut self, result: &CheckResult, own: &CheckSpec) {
        if own.method == MethodChoice::Auto && !own.reads_the_body() && result.head_was_wrong() {
            let spec = CheckSpec {
                method: MethodChoice::Remembered,
                ..own.clone()
            };
            self.0.insert(result.job.site, Arc::new(spec));
        }
    }

    /// Forgets all of them.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
