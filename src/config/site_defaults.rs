//! `[[defaults]]`: settings of the sites that have one of its tags, between `[monitor]` and what a
//! site says itself.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::monitor_settings::MonitorSettings;
use super::notify_table::SecretReader;
use super::settings_layer::SettingsLayer;
use super::table_reader::TableReader;
use super::table_values::Element;
use super::value_parsers;

/// The settings of sites by their tags.
#[derive(Debug)]
pub(super) struct SiteDefaults {
    monitor: Rc<MonitorSettings>,
    layers: Vec<(Vec<Element<Box<str>>>, SettingsLayer)>,
    /// What the layers of these places come to.
    known: RefCell<HashMap<Vec<usize>, Rc<MonitorSettings>>>,
}

impl SiteDefaults {
    pub(super) fn of(monitor: &MonitorSettings) -> Self {
        Self {
            monitor: Rc::new(monitor.clone()),
            layers: Vec::new(),
            known: RefCell::default(),
        }
    }

    /// Reads `[[defaults]]`.
    pub(super) fn read(
        file: &mut TableReader<'_>,
        monitor: &MonitorSettings,
        owners: &HashSet<&str>,
        secrets: SecretReader<'_>,
    ) -> Self {
        let mut defaults = Self::of(monitor);
        file.tables("defaults", |_, mut table| {
            let tags = table.texts("tags", value_parsers::label);
            table.require("tags");
            let layer = SettingsLayer::read(&mut table, owners, secrets);
            table.finish();
            defaults.layers.push((tags, layer));
        });
        defaults
    }

    /// The tags that it names, each with the place of its table.
    pub(super) fn tags(&self) -> impl Iterator<Item = (usize, &Element<Box<str>>)> {
        let layers = self.layers.iter().enumerate();
        layers.flat_map(|(place, (tags, _))| tags.iter().map(move |tag| (place, tag)))
    }

    /// The settings of a site with these tags: a later layer comes over an earlier one.
    pub(super) fn for_tags(&self, tags: &[Box<str>]) -> Rc<MonitorSettings> {
        let is_meant =
            |named: &[Element<Box<str>>]| named.iter().any(|tag| tags.contains(&tag.value));
        let layers = self.layers.iter().enumerate();
        let meant: Vec<usize> = layers
            .filter(|(_, (named, _))| is_meant(named))
            .map(|(place, _)| place)
            .collect();
        if meant.is_empty() {
            return Rc::clone(&self.monitor);
        }
        let mut known = self.known.borrow_mut();
        let settings = known.entry(meant).or_insert_with_key(|meant| {
            let mut settings = (*self.monitor).clone();
            for place in meant {
                self.layers[*place].1.apply(&mut settings);
            }
            Rc::new(settings)
        });
        Rc::clone(settings)
    }
}
