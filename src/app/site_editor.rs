//! What is needed of the configuration to check a site that is typed on the screen.

use crate::config::{Config, MonitorSettings, draft_site, unmasked};
use crate::domain::{FieldMistake, Owner, Site, SiteField, SiteId, SiteValues};
use crate::monitor::Monitor;
use crate::tui::TriedSite;

/// What is needed of the configuration to check a site that is typed.
#[derive(Debug)]
pub(super) struct SiteEditor {
    pub(super) monitor: MonitorSettings,
    owners: Vec<Owner>,
    /// Why sites cannot be edited; `None` where they can.
    pub(super) refusal: Option<&'static str>,
    /// The result of the last trial.
    pub(super) tried: Option<TriedSite>,
}

impl SiteEditor {
    pub(super) fn new(config: &Config, demo: bool) -> Self {
        let refusal = match &config.path {
            Some(_) if !demo => None,
            _ => Some("the demo's sites are its own: there is no file to write them into"),
        };
        Self {
            monitor: config.monitor.clone(),
            owners: config.owners.clone(),
            refusal,
            tried: None,
        }
    }

    /// Takes over another configuration.
    pub(super) fn configure(&mut self, config: &Config) {
        self.monitor.clone_from(&config.monitor);
        self.owners.clone_from(&config.owners);
    }

    /// The mistakes in what was typed for a new site, or for changes of `site`.
    pub(super) fn check(
        &self,
        site: Option<SiteId>,
        fields: &SiteValues,
        monitor: &Monitor,
    ) -> Vec<FieldMistake> {
        let drafted = self.draft(site, fields, monitor);
        let draft = match drafted {
            Ok(draft) => draft,
            Err(mistakes) => return mistakes,
        };
        let is_named = fields
            .iter()
            .any(|(key, text)| *key == SiteField::Name && !text.trim().is_empty());
        let is_free = |name: &str| {
            monitor
                .find(name)
                .is_none_or(|other| Some(other.id()) == site)
        };
        let mistake = |key, sentence: String| {
            vec![FieldMistake {
                key: Some(key),
                sentence,
            }]
        };
        if is_named && !is_free(&draft.name) {
            return mistake(
                SiteField::Name,
                format!("the name \"{}\" is taken already", draft.name),
            );
        }
        let has_url = |(key, _): &(SiteField, String)| *key == SiteField::Url;
        let is_watched = || {
            let mut sites = monitor.sites();
            sites.any(|other| other.site().spec.url == draft.spec.url && Some(other.id()) != site)
        };
        if !is_named && fields.iter().any(has_url) && is_watched() {
            let sentence = "it is watched already: give this one a name";
            return mistake(SiteField::Name, sentence.to_owned());
        }
        Vec::new()
    }

    /// The site that was typed.
    pub(super) fn draft(
        &self,
        site: Option<SiteId>,
        fields: &SiteValues,
        monitor: &Monitor,
    ) -> Result<Site, Vec<FieldMistake>> {
        let base = site
            .and_then(|site| monitor.site(site))
            .map(|state| &**state.site());
        let fields = with_password(fields, base);
        draft_site(&fields, base, &self.monitor, &self.owners)
    }
}

/// The fields with the password that a URL had, where it shows as `***`.
pub(super) fn with_password(fields: &SiteValues, base: Option<&Site>) -> SiteValues {
    let mut fields = fields.clone();
    if let Some(base) = base {
        for (_, text) in fields.iter_mut().filter(|(key, _)| *key == SiteField::Url) {
            *text = unmasked(text, &base.spec.url);
        }
    }
    fields
}
