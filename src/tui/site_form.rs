//! The state of the form of a site: what is typed, the key in focus, and the trial.

use crate::domain::{FieldMistake, Site, SiteField, SiteId, SiteValues};

use super::view_model::{TriedSite, ViewModel};

/// The form of a site, new or there already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SiteForm {
    /// The site that is edited; `None` for a new one.
    pub(crate) site: Option<SiteId>,
    /// The values as they are typed, in the order of [`SiteField::ALL`].
    values: Vec<String>,
    /// The values that the form began with.
    first: Vec<String>,
    focus: usize,
    /// Whether it was asked to keep it, so that every mistake is shown.
    pub(crate) asked: bool,
    /// The number of the trial of these values.
    trial: Option<u64>,
}

/// The trial of the values in a form.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum TrialState<'a> {
    /// It was not begun, or the values were changed since.
    None,
    /// It is under way.
    Trying,
    /// It has ended.
    Tried(&'a TriedSite),
}

impl SiteForm {
    /// An empty form.
    pub(crate) fn new_site() -> Self {
        let mut values = vec![String::new(); SiteField::ALL.len()];
        "https://".clone_into(&mut values[0]);
        Self {
            site: None,
            first: vec![String::new(); values.len()],
            values,
            focus: 0,
            asked: false,
            trial: None,
        }
    }

    /// The form of a site that is there.
    pub(crate) fn of(id: SiteId, site: &Site) -> Self {
        let values: Vec<String> = SiteField::ALL
            .iter()
            .map(|key| key.value_of(site))
            .collect();
        Self {
            site: Some(id),
            first: values.clone(),
            values,
            focus: 0,
            asked: false,
            trial: None,
        }
    }

    /// Each key with its value, and whether it is in focus.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (SiteField, &str, bool)> {
        let rows = SiteField::ALL.into_iter().zip(&self.values).enumerate();
        rows.map(|(place, (key, value))| (key, &**value, place == self.focus))
    }

    /// The values that differ from those at the beginning.
    pub(crate) fn changed(&self) -> SiteValues {
        let values = self.values.iter().zip(&self.first);
        let changed = SiteField::ALL.into_iter().zip(values);
        changed
            .filter(|(_, (value, first))| value.trim() != first.as_str())
            .map(|(key, (value, _))| (key, value.trim().to_owned()))
            .collect()
    }

    /// Whether something was changed that a check asks or expects.
    pub(crate) fn needs_trial(&self) -> bool {
        self.changed().iter().any(|(key, _)| {
            matches!(
                key,
                SiteField::Url
                    | SiteField::Timeout
                    | SiteField::Slow
                    | SiteField::Method
                    | SiteField::ExpectStatus
                    | SiteField::Contains
            )
        })
    }

    /// The value in focus.
    pub(crate) fn text(&self) -> &str {
        &self.values[self.focus]
    }

    /// Replaces the value in focus; what was tried before counts no more.
    pub(crate) fn set_text(&mut self, text: &str) {
        text.clone_into(&mut self.values[self.focus]);
        self.trial = None;
    }

    /// Goes to the next key, or to the one before.
    pub(crate) fn go(&mut self, forward: bool) {
        let keys = SiteField::ALL.len();
        self.focus = (self.focus + if forward { 1 } else { keys - 1 }) % keys;
    }

    /// Goes to a key.
    pub(crate) fn go_to(&mut self, key: SiteField) {
        let place = SiteField::ALL.iter().position(|known| *known == key);
        self.focus = place.unwrap_or(self.focus);
    }

    /// The mistakes in what was typed so far: of keys that were touched, or of all once it was asked
    /// to keep it.
    pub(crate) fn mistakes(&self, model: &ViewModel<'_>) -> Vec<FieldMistake> {
        let changed = self.changed();
        let mut mistakes = (model.form.check)(self.site, &changed);
        let is_begun = |key: SiteField| match key {
            // What is typed over is not judged before it can be one.
            SiteField::Url => self.focus != 0 || !"https://".starts_with(self.values[0].trim()),
            _ => true,
        };
        mistakes.retain(|mistake| self.asked || mistake.key.is_none_or(is_begun));
        mistakes
    }

    /// Notes that the values are being tried.
    pub(crate) const fn tries(&mut self, number: u64) {
        self.trial = Some(number);
    }

    /// The trial of the values.
    pub(crate) fn trial<'a>(&self, model: &ViewModel<'a>) -> TrialState<'a> {
        match (self.trial, model.form.tried) {
            (None, _) => TrialState::None,
            (Some(number), Some(tried)) if tried.number == number => TrialState::Tried(tried),
            (Some(_), _) => TrialState::Trying,
        }
    }
}
