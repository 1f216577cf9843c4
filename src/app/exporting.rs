//! What a session does about the key that writes what is on record.

use crate::domain::Clock;
use crate::tui::Tone;

use super::export::{Exported, Exporter};
use super::world::World;

impl World {
    /// Writes what is on record.
    pub(super) fn export(&mut self, exporter: &Exporter) {
        self.lookout.absorb(&self.core, self.clock.moment());
        let (ledger, monitor) = (self.lookout.ledger(), self.core.monitor());
        exporter.begin(ledger, monitor, self.clock.timestamp(), &self.zone);
    }

    /// What became of that.
    pub(super) fn exported(&mut self, exported: Exported) {
        match exported {
            Ok((path, checks)) => {
                let text = format!("{checks} checks written to {}", path.display());
                self.answer(Tone::Good, text);
            }
            Err(why) => self.answer(Tone::Bad, format!("no trace was written: {why}")),
        }
    }
}
