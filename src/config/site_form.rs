//! The site that the values of the form stand for, or the mistakes in them: read by what reads
//! `[[sites]]`, so that the form refuses nothing that the file may say, and accepts no more.

use std::cell::RefCell;
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use toml::de::DeTable;
use toml_edit::{DocumentMut, Table};

use crate::domain::{FieldMistake, MaskedUrl, Owner, Site, SiteField, SiteValues};

use super::diagnostic_sink::{DiagnosticSink, Language};
use super::diagnostics::Diagnostic;
use super::edit_table::{push, set_fields};
use super::files::NamedFiles;
use super::key_path::KeyPath;
use super::monitor_settings::MonitorSettings;
use super::notify_table::SecretReader;
use super::secret::SecretUse;
use super::site_defaults::SiteDefaults;
use super::sites_table::read_sites;
use super::table_reader::TableReader;

/// The site of these values: a new one, or `base` with them.
///
/// # Errors
/// Every mistake in the values, in the order of the keys.
pub fn draft_site(
    fields: &SiteValues,
    base: Option<&Site>,
    monitor: &MonitorSettings,
    owners: &[Owner],
) -> Result<Site, Vec<FieldMistake>> {
    let mut all = fields.clone();
    if let Some(base) = base
        && !all.iter().any(|(key, _)| *key == SiteField::Url)
    {
        all.push((SiteField::Url, base.spec.url.expose().to_owned()));
    }
    let mut table = Table::new();
    set_fields(&mut table, &all).map_err(|mistake| vec![mistake])?;
    let mut document = DocumentMut::new();
    push(&mut document, table);
    let text = document.to_string();
    let draft = read_alone(&text, monitor, owners)?;
    let Some(base) = base else {
        return Ok(draft);
    };
    let mut site = base.clone();
    for (key, _) in fields {
        take(*key, &mut site, &draft);
    }
    Ok(site)
}

/// Reads a text with one table of `[[sites]]`.
fn read_alone(
    text: &str,
    monitor: &MonitorSettings,
    owners: &[Owner],
) -> Result<Site, Vec<FieldMistake>> {
    let plain = |sentence: String| {
        vec![FieldMistake {
            key: None,
            sentence,
        }]
    };
    let document = DeTable::parse(text).map_err(|error| plain(error.message().to_owned()))?;
    let mut sink = DiagnosticSink::new(Language::Toml);
    let names: HashSet<&str> = owners.iter().map(|owner| &*owner.name).collect();
    let mut file = TableReader::new(document.get_ref(), 0..text.len(), KeyPath::Root, &mut sink);
    let (defaults, sources) = (SiteDefaults::of(monitor), RefCell::default());
    let files = NamedFiles {
        folder: Path::new(""),
        sources: &sources,
    };
    let used = SecretUse::Unused;
    let drafts = read_sites(&mut file, &defaults, &names, SecretReader { files, used });
    file.finish();
    if let Some(mistakes) = sink.finish("", text) {
        return Err(mistakes.iter().map(of_field).collect());
    }
    let draft = drafts.good.into_iter().next();
    draft
        .map(|draft| draft.site)
        .ok_or_else(|| plain("a site needs a url".to_owned()))
}

/// A mistake of the file as one of a field.
fn of_field(mistake: &Diagnostic) -> FieldMistake {
    let key = mistake.key().strip_prefix("sites[0].").unwrap_or_default();
    let key = key.split(['[', '.']).next().unwrap_or_default();
    FieldMistake {
        key: SiteField::ALL.into_iter().find(|known| known.name() == key),
        sentence: mistake.sentence().to_owned(),
    }
}

/// Takes the value of one key from `draft`.
fn take(key: SiteField, site: &mut Site, draft: &Site) {
    let spec = Arc::make_mut(&mut site.spec);
    match key {
        SiteField::Url => spec.url.clone_from(&draft.spec.url),
        SiteField::Name => site.name.clone_from(&draft.name),
        SiteField::Interval => site.interval = draft.interval,
        SiteField::Timeout => spec.timeout = draft.spec.timeout,
        SiteField::Slow => spec.slow = draft.spec.slow,
        SiteField::Confirm => site.confirm = draft.confirm,
        SiteField::Method => spec.method = draft.spec.method,
        SiteField::ExpectStatus => spec.expect_status.clone_from(&draft.spec.expect_status),
        SiteField::Contains => {
            spec.contains.clone_from(&draft.spec.contains);
            let texts = &draft.spec.options().assertions.contains;
            if *texts != spec.options().assertions.contains {
                let mut options = spec.options().clone();
                options.assertions.contains.clone_from(texts);
                spec.options = Some(Arc::new(options));
            }
        }
        SiteField::Owners => site.owners = Arc::clone(&draft.owners),
        SiteField::Tags => site.tags.clone_from(&draft.tags),
    }
}

/// A URL that was typed over one whose password shows as `***`: with that password again.
#[must_use]
pub fn unmasked(typed: &str, old: &MaskedUrl) -> String {
    let password = old.parsed().and_then(|url| url.password());
    match password {
        Some(password) if typed.contains(":***@") => {
            typed.replacen(":***@", &format!(":{password}@"), 1)
        }
        _ => typed.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drafted(
        fields: &[(SiteField, &str)],
        base: Option<&Site>,
    ) -> Result<Site, Vec<FieldMistake>> {
        let fields = fields.iter().map(|(key, text)| (*key, (*text).to_owned()));
        let owner = Owner {
            name: "ops".into(),
            ..Owner::default()
        };
        draft_site(
            &fields.collect(),
            base,
            &MonitorSettings::default(),
            &[owner],
        )
    }

    #[test]
    fn a_form_is_read_as_the_file_is() {
        let site = drafted(
            &[
                (SiteField::Url, "https://a.example/x"),
                (SiteField::Interval, "90s"),
                (SiteField::Confirm, "3"),
                (SiteField::Contains, "one, two"),
                (SiteField::Owners, "ops,"),
                (SiteField::Tags, " eu , shop"),
                (SiteField::Timeout, ""),
            ],
            None,
        )
        .unwrap();
        assert_eq!(&*site.name, "a.example/x");
        assert_eq!((site.interval.as_secs(), site.confirm), (90, 3));
        assert_eq!(site.spec.contains.as_deref(), Some("one, two"));
        assert_eq!(
            (site.owners.join(" "), site.tags.join(" ")),
            ("ops".into(), "eu shop".into())
        );
        for key in SiteField::ALL {
            let again = [
                (SiteField::Url, "https://a.example/x"),
                (key, &*key.value_of(&site)),
            ];
            let fields = if key == SiteField::Url {
                &again[..1]
            } else {
                &again[..]
            };
            assert!(drafted(fields, None).is_ok(), "{key:?}");
        }
    }

    #[test]
    fn each_mistake_is_at_its_field() {
        let mistakes = drafted(
            &[
                (SiteField::Url, "ftp://a.example"),
                (SiteField::Interval, "5"),
                (SiteField::Confirm, "many"),
                (SiteField::Owners, "opps"),
            ],
            None,
        )
        .unwrap_err();
        let keys: Vec<_> = mistakes.iter().filter_map(|mistake| mistake.key).collect();
        assert_eq!(keys.len(), 4);
        let owner = mistakes
            .iter()
            .find(|mistake| mistake.key == Some(SiteField::Owners));
        assert!(owner.unwrap().sentence.contains("did you mean \"ops\""));
        let mistakes = drafted(&[(SiteField::Url, " ")], None).unwrap_err();
        assert_eq!(mistakes[0].key, Some(SiteField::Url));
        let list = [
            (SiteField::Url, "https://a.example"),
            (SiteField::Contains, "[\"a\""),
        ];
        assert_eq!(
            drafted(&list, None).unwrap_err()[0].key,
            Some(SiteField::Contains)
        );
    }

    #[test]
    fn a_change_keeps_what_the_form_does_not_show() {
        let mut base = drafted(&[(SiteField::Url, "https://me:pw@a.example")], None).unwrap();
        base.parent = Some("gate".into());
        let site = drafted(
            &[
                (SiteField::Timeout, "3s"),
                (SiteField::Contains, "[\"a\", \"b\"]"),
            ],
            Some(&base),
        );
        let site = site.unwrap();
        assert_eq!(site.parent, base.parent);
        assert_eq!(site.spec.url, base.spec.url);
        assert_eq!(site.spec.timeout.as_secs(), 3);
        assert_eq!(SiteField::Contains.value_of(&site), "[\"a\", \"b\"]");
        let url = unmasked("https://me:***@b.example/", &base.spec.url);
        assert_eq!(url, "https://me:pw@b.example/");
    }
}
