//! Names of sites and tags that stand elsewhere in the file: parents and `[[maintenance]]`.
//! They are looked up when all sites are known, those of the lists included.

use std::collections::HashSet;

use crate::domain::Site;

use super::diagnostic_sink::DiagnosticSink;
use super::site_defaults::SiteDefaults;
use super::site_registry::{ParentError, wrong_parents};
use super::table_values::Element;
use super::value_parsers::{quoted, suggestion};

/// The sites and tags that one table of `[[maintenance]]` names.
#[derive(Debug)]
pub(super) struct WindowNames {
    /// Its place among `[[maintenance]]`.
    pub(super) index: usize,
    pub(super) sites: Vec<Element<Box<str>>>,
    pub(super) tags: Vec<Element<Box<str>>>,
}

/// Where the parent of a site stands in the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct ParentPlace {
    /// The site's place among `[[sites]]`.
    pub(super) index: usize,
    /// The place in the text, in bytes.
    pub(super) offset: usize,
}

/// Every site and tag of the files, those that something else is wrong with included.
pub(super) struct KnownSites<'a> {
    sites: &'a [Site],
    /// Names of sites that could not be read whole.
    lost: &'a HashSet<Box<str>>,
    tags: &'a HashSet<Box<str>>,
}

impl<'a> KnownSites<'a> {
    pub(super) const fn new(
        sites: &'a [Site],
        lost: &'a HashSet<Box<str>>,
        tags: &'a HashSet<Box<str>>,
    ) -> Self {
        Self { sites, lost, tags }
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let lost = self.lost.iter().map(|name| &**name);
        self.sites.iter().map(|site| &*site.name).chain(lost)
    }

    fn no_site(&self, name: &str) -> String {
        let near = suggestion(name, self.names());
        format!("there is no site {}{near}", quoted(name))
    }

    fn no_tag(&self, tag: &str) -> String {
        let near = suggestion(tag, self.tags.iter().map(|tag| &**tag));
        format!("no site has the tag {}{near}", quoted(tag))
    }

    /// Names the parents that no site is, and those that are circles. `places` has the places
    /// of the first sites, in their order.
    pub(super) fn check_parents(&self, places: &[ParentPlace], sink: &mut DiagnosticSink) {
        for (site, fault) in wrong_parents(self.sites, self.lost) {
            let Some(place) = places.get(site) else {
                continue;
            };
            let sentence = match fault {
                ParentError::Missing => {
                    self.no_site(self.sites[site].parent.as_deref().unwrap_or_default())
                }
                ParentError::Circle(names) => {
                    format!("the site is its own ancestor: {}", names.join(" -> "))
                }
            };
            let key = format!("sites[{}].parent", place.index);
            sink.missing(place.offset, &key, &sentence);
        }
    }

    /// Names the tags of `[[defaults]]` that no site has.
    pub(super) fn check_defaults(&self, defaults: &SiteDefaults, sink: &mut DiagnosticSink) {
        for (place, tag) in defaults.tags() {
            if !self.tags.contains(&tag.value) {
                let key = format!("defaults[{place}].tags[{}]", tag.index);
                sink.missing(tag.offset, &key, &self.no_tag(&tag.value));
            }
        }
    }

    /// Names the sites and tags of maintenance windows that do not exist.
    pub(super) fn check_windows(&self, windows: &[WindowNames], sink: &mut DiagnosticSink) {
        let named = windows.iter().flat_map(|window| &window.sites);
        let wanted: HashSet<&str> = named.map(|name| &*name.value).collect();
        if wanted.is_empty() && windows.iter().all(|window| window.tags.is_empty()) {
            return;
        }
        let found: HashSet<&str> = self.names().filter(|name| wanted.contains(name)).collect();
        for window in windows {
            let mut refuse = |key: &str, name: &Element<Box<str>>, sentence: &String| {
                let key = format!("maintenance[{}].{key}[{}]", window.index, name.index);
                sink.missing(name.offset, &key, sentence);
            };
            for name in &window.sites {
                if !found.contains(&*name.value) {
                    refuse("sites", name, &self.no_site(&name.value));
                }
            }
            for tag in &window.tags {
                if !self.tags.contains(&tag.value) {
                    refuse("tags", tag, &self.no_tag(&tag.value));
                }
            }
        }
    }
}
