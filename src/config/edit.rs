//! Changing sites in the file: added, changed, deleted, paused and tagged, every comment and the
//! order of the others kept. An edit that would leave a mistake in the file is not written.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use toml_edit::{DocumentMut, Item, Table, TableLike, Value};

use crate::domain::{Site, SiteEdit};

use super::diagnostics::shown_path;
use super::edit_file::{EditError, WrittenEdit, rewrite};
use super::edit_table::{change_at, push, set_fields, set_flag, set_tags, table_of};
use super::known_names::KnownNames;
use super::load::{MainFile, parse, read_main};
use super::secret::SecretUse;

/// Writes a change of sites into the file.
///
/// # Errors
/// [`EditError`]; the file is then as it was.
pub fn edit_sites(
    path: &Path,
    change: &SiteEdit,
    known: &KnownNames<'_>,
) -> Result<WrittenEdit, EditError> {
    rewrite(path, |text| {
        let edited = edit(text, path, change, known)?;
        // A pause concerns no other key, and goes into a file whose lists have mistakes as well.
        if !matches!(change, SiteEdit::Pause(..)) {
            parse(&edited, path, known).map_err(EditError::Invalid)?;
        }
        Ok(edited)
    })
}

/// The text with the change.
pub(super) fn edit(
    text: &str,
    path: &Path,
    change: &SiteEdit,
    known: &KnownNames<'_>,
) -> Result<String, EditError> {
    let failed = |why: &str| EditError::failed(path, why);
    let main = read_good(text, path, known)?;
    let mut document: DocumentMut = text.parse().map_err(|_| failed("it is not valid TOML"))?;
    let places = Places::of(&main);
    let mistaken = |mistake: crate::domain::FieldMistake| failed(&mistake.sentence);
    match change {
        SiteEdit::Add(fields) => {
            let mut table = Table::new();
            set_fields(&mut table, fields).map_err(mistaken)?;
            push(&mut document, table);
        }
        SiteEdit::Delete(sites) => {
            let mut gone = Vec::new();
            for site in sites {
                let index = places.find(site);
                gone.push(index.ok_or_else(|| failed(&from_a_list(site)))?);
            }
            gone.sort_unstable();
            gone.dedup();
            for index in gone.into_iter().rev() {
                remove_at(&mut document, index).ok_or_else(|| failed(NO_TABLE))?;
            }
        }
        SiteEdit::Change(site, fields) => {
            let index = places.find(site);
            let index = index.ok_or_else(|| failed(&from_a_list(site)))?;
            let set = change_at(&mut document, index, |table| set_fields(table, fields));
            set.ok_or_else(|| failed(NO_TABLE))?.map_err(mistaken)?;
        }
        SiteEdit::Pause(sites, paused) => {
            let set = |table: &mut dyn TableLike| set_flag(table, *paused);
            for site in sites {
                match places.find(site) {
                    None if !paused => {}
                    place => change_one(&mut document, place, site, &main, set)
                        .ok_or_else(|| failed(NO_TABLE))?,
                }
            }
        }
        SiteEdit::Tag { sites, add, remove } => {
            for site in sites {
                let set = |table: &mut dyn TableLike| set_tags(table, add, remove);
                change_one(&mut document, places.find(site), site, &main, set)
                    .ok_or_else(|| failed(NO_TABLE))?;
            }
        }
    }
    let mut edited = document.to_string();
    if text.contains("\r\n") && !text.replace("\r\n", "").contains('\n') {
        edited = edited.replace("\r\n", "\n").replace('\n', "\r\n");
    }
    // An edit that did not do what it should must not reach the disk.
    let after = read_good(&edited, path, known)?;
    if is_done(change, &main, &after) {
        return Ok(edited);
    }
    Err(failed(NO_TABLE))
}

const NO_TABLE: &str = "the site's table was not found";

fn from_a_list(site: &Site) -> String {
    format!(
        "\"{}\" stands in a list that it includes: change it there",
        site.name
    )
}

/// The file itself, without the lists, which an edit has no need of.
fn read_good(text: &str, path: &Path, known: &KnownNames<'_>) -> Result<MainFile, EditError> {
    let mut main = read_main(text, path, known, SecretUse::Unused);
    let sink = std::mem::replace(
        &mut main.sink,
        super::diagnostic_sink::DiagnosticSink::new(super::diagnostic_sink::Language::Toml),
    );
    match sink.finish(&shown_path(path), text) {
        Some(mistakes) => Err(EditError::Invalid(mistakes)),
        None => Ok(main),
    }
}

/// The places of the sites among `[[sites]]`: by the name that one has there, or by its URL.
struct Places<'a> {
    named: HashMap<&'a str, usize>,
    unnamed: HashMap<&'a str, usize>,
}

impl<'a> Places<'a> {
    fn of(main: &'a MainFile) -> Self {
        let (mut named, mut unnamed) = (HashMap::new(), HashMap::new());
        for draft in &main.drafts.good {
            if draft.named {
                named.entry(&*draft.site.name).or_insert(draft.index);
            } else {
                let url = draft.site.spec.url.expose();
                unnamed.entry(url).or_insert(draft.index);
            }
        }
        Self { named, unnamed }
    }

    fn find(&self, site: &Site) -> Option<usize> {
        let named = self.named.get(&*site.name);
        named
            .or_else(|| self.unnamed.get(site.spec.url.expose()))
            .copied()
    }
}

/// Whether the file says after the change what it should.
fn is_done(change: &SiteEdit, before: &MainFile, after: &MainFile) -> bool {
    let places = Places::of(after);
    let (old, new) = (before.drafts.good.len(), after.drafts.good.len());
    let drafts = || after.drafts.good.iter();
    let draft = |site: &Arc<Site>| {
        let index = places.find(site)?;
        drafts().find(|draft| draft.index == index)
    };
    match change {
        SiteEdit::Add(_) => new == old + 1,
        SiteEdit::Change(..) => new == old,
        SiteEdit::Delete(sites) => new < old && sites.iter().all(|site| draft(site).is_none()),
        SiteEdit::Pause(sites, paused) => sites.iter().all(|site| {
            let is_paused = draft(site).is_some_and(|draft| draft.site.paused);
            is_paused == *paused
        }),
        SiteEdit::Tag { sites, add, remove } => sites.iter().all(|site| {
            draft(site).is_some_and(|draft| {
                let tags = &draft.site.tags;
                add.iter().all(|tag| tags.contains(tag))
                    && !remove.iter().any(|tag| tags.contains(tag))
            })
        }),
    }
}

/// Changes the table at `place`, or adds one for a site of a list.
fn change_one(
    document: &mut DocumentMut,
    place: Option<usize>,
    site: &Site,
    main: &MainFile,
    change: impl FnOnce(&mut dyn TableLike),
) -> Option<()> {
    if let Some(index) = place {
        return change_at(document, index, change);
    }
    let mut table = table_of(site, &main.config.monitor.owners);
    change(&mut table);
    push(document, table);
    Some(())
}

/// Removes a table with the comment right above it. What is parted from it by an empty line stays,
/// before what follows.
fn remove_at(document: &mut DocumentMut, index: usize) -> Option<()> {
    let (position, kept) = match document.get_mut("sites")? {
        Item::ArrayOfTables(tables) => {
            let table = tables.get(index)?;
            let prefix = table.decor().prefix().and_then(|prefix| prefix.as_str());
            let kept = prefix.map_or("", above_the_gap).to_owned();
            let position = table.position();
            tables.remove(index);
            (position, kept)
        }
        Item::Value(Value::Array(array)) => {
            array.get(index)?;
            array.remove(index);
            (None, String::new())
        }
        _ => return None,
    };
    if kept.trim().is_empty() {
        return Some(());
    }
    let mut next = None;
    following(document.as_table_mut(), position?, &mut next);
    match next {
        Some(table) => {
            let own = table.decor().prefix().and_then(|prefix| prefix.as_str());
            let prefix = format!("{kept}{}", own.unwrap_or("\n"));
            table.decor_mut().set_prefix(prefix);
        }
        None => {
            let end = document.trailing().as_str().unwrap_or_default();
            let end = format!("{kept}{end}");
            document.set_trailing(end);
        }
    }
    Some(())
}

/// The part of a text before its last empty line.
fn above_the_gap(text: &str) -> &str {
    text.rfind("\n\n").map_or("", |at| &text[..=at])
}

/// The table that stands next behind `position`.
fn following<'a>(table: &'a mut Table, position: isize, next: &mut Option<&'a mut Table>) {
    for (_, item) in table.iter_mut() {
        let tables: Vec<&'a mut Table> = match item {
            Item::Table(table) => vec![table],
            Item::ArrayOfTables(tables) => tables.iter_mut().collect(),
            _ => continue,
        };
        for table in tables {
            let place = table.position();
            let known = next.as_ref().and_then(|table| table.position());
            let is_nearer = place
                .is_some_and(|place| place > position && known.is_none_or(|known| place < known));
            if is_nearer {
                *next = Some(table);
            } else {
                following(table, position, next);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::PathBuf;

    use crate::domain::{SiteField, SiteValues};

    use super::super::edit_file::restore;
    use super::super::files::ContentHash;
    use super::super::load::load;
    use super::super::secret::SecretUse;
    use super::*;

    const KNOWN: KnownNames<'static> = KnownNames {
        paradigms: &["async"],
        channels: &crate::notify::KNOWN_CHANNELS,
    };

    const TEXT: &str = "# my sites\n\n[[sites]] # one\nurl   = 'https://a.example'  # the first\n\n\
        # two\n[[sites]]\nname = \"B\"\nurl = \"https://b.example\"\n# why\npaused = true # until spring\n\n\
        [[sites]]\nurl = \"https://c.example\"\npaused = true\ntags = [\n  \"x\", # y\n]\n\n[history] # kept\nraw = \"7d\"\n# the end\n";

    fn pause(path: &Path, site: &Site, paused: bool) -> Result<WrittenEdit, EditError> {
        let edit = SiteEdit::Pause(vec![Arc::new(site.clone())], paused);
        edit_sites(path, &edit, &KNOWN)
    }

    struct File {
        folder: tempfile::TempDir,
        path: PathBuf,
    }

    fn file(text: &str) -> File {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sites.toml");
        fs::write(&path, text).unwrap();
        File { folder, path }
    }

    impl File {
        fn set(&self, name: &str, paused: bool) -> String {
            let config = load(&self.path, &KNOWN, SecretUse::Unused).unwrap();
            let site = config.sites.iter().find(|site| &*site.name == name);
            let written = pause(&self.path, site.unwrap(), paused).unwrap();
            let text = fs::read_to_string(&self.path).unwrap();
            assert_eq!(written.content.content(), ContentHash::of(text.as_bytes()));
            let config = load(&self.path, &KNOWN, SecretUse::Unused).unwrap();
            let site = config.sites.iter().find(|site| &*site.name == name);
            assert_eq!(site.unwrap().paused, paused, "{text}");
            text
        }
    }

    #[test]
    fn pausing_changes_one_line_and_resuming_takes_it_back() {
        let file = file(TEXT);
        let paused = file.set("a.example", true);
        assert_eq!(
            paused,
            TEXT.replace("# the first\n", "# the first\npaused = true\n")
        );
        assert_eq!(file.set("a.example", false), TEXT);
        assert_eq!(
            file.set("c.example", false),
            TEXT.replace("c.example\"\npaused = true\n", "c.example\"\n")
        );
    }

    #[test]
    fn a_comment_at_the_key_outlives_it() {
        let file = file(TEXT);
        assert_eq!(
            file.set("B", false),
            TEXT.replace("paused = true # until", "paused = false # until")
        );
        assert_eq!(file.set("B", true), TEXT);
    }

    #[test]
    fn the_line_ends_and_the_byte_order_mark_of_the_file_are_kept() {
        let text = format!("\u{feff}{}", TEXT.replace('\n', "\r\n"));
        let file = file(&text);
        let paused = file.set("a.example", true);
        assert_eq!(
            paused,
            text.replace("# the first\r\n", "# the first\r\npaused = true\r\n")
        );
        assert_eq!(file.set("a.example", false), text);
    }

    #[test]
    fn sites_in_an_inline_list_are_paused_too() {
        let file = file("sites = [\n  { url = \"https://a.example\" }, # one\n]\n");
        assert_eq!(
            file.set("a.example", true),
            "sites = [\n  { url = \"https://a.example\", paused = true }, # one\n]\n"
        );
        assert_eq!(
            file.set("a.example", false),
            "sites = [\n  { url = \"https://a.example\" }, # one\n]\n"
        );
    }

    #[test]
    fn a_site_of_a_list_gets_a_table_of_its_own() {
        let text = format!("[monitor]\ninclude = [\"l.txt\"]\n\n{TEXT}");
        let file = file(&text);
        fs::write(
            file.folder.path().join("l.txt"),
            "https://d.example/x\nhttps://e.example The fifth\n",
        )
        .unwrap();
        let added = "\n[[sites]]\nurl = \"https://d.example/x\"\npaused = true\n";
        let edited = file.set("d.example/x", true);
        assert_eq!(edited.replace(added, ""), text);
        let resumed = file.set("d.example/x", false);
        assert!(!resumed.contains("d.example/x\"\npaused"));
        assert!(
            file.set("The fifth", true)
                .contains("name = \"The fifth\"\nurl")
        );
        let config = load(&file.path, &KNOWN, SecretUse::Unused).unwrap();
        assert_eq!(config.sites.len(), 5);
    }

    #[test]
    fn a_site_keeps_the_owners_and_tags_of_its_list() {
        let file = file(
            "[owners.ops]\nwebhook = \"https://h.example\"\n[monitor]\ninclude = [{ file = \"l.txt\", owners = [\"ops\"], tags = [\"eu\"] }]\n",
        );
        fs::write(file.folder.path().join("l.txt"), "https://d.example/x\n").unwrap();
        let before = load(&file.path, &KNOWN, SecretUse::Unused).unwrap();
        file.set("d.example/x", true);
        let after = load(&file.path, &KNOWN, SecretUse::Unused).unwrap();
        let site = |config: &crate::config::Config| {
            let site = &config.sites[0];
            (site.owners.clone(), site.tags.clone())
        };
        assert!(after.sites[0].paused);
        assert_eq!(site(&after), site(&before));
        assert_eq!(after.warnings, before.warnings);
    }

    #[test]
    fn a_broken_file_is_left_as_it_is() {
        let file = file(TEXT);
        let site = load(&file.path, &KNOWN, SecretUse::Unused).unwrap().sites[0].clone();
        for broken in [
            "[[sites]\n",
            "[[sites]]\nurl = \"https://a.example\"\nx = 1\n",
        ] {
            fs::write(&file.path, broken).unwrap();
            let error = pause(&file.path, &site, true).unwrap_err();
            assert!(matches!(error, EditError::Invalid(_)), "{error}");
            assert_eq!(fs::read_to_string(&file.path).unwrap(), broken);
        }
        fs::remove_file(&file.path).unwrap();
        let error = pause(&file.path, &site, true).unwrap_err();
        assert!(error.to_string().contains("there is no such file"));
    }

    #[test]
    fn a_read_only_file_is_left_as_it_is() {
        let file = file(TEXT);
        let site = load(&file.path, &KNOWN, SecretUse::Unused).unwrap().sites[0].clone();
        fs::set_permissions(&file.path, Permissions::from_mode(0o444)).unwrap();
        let error = pause(&file.path, &site, true).unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("could not be changed: it is read-only")
        );
        assert_eq!(fs::read_to_string(&file.path).unwrap(), TEXT);
    }

    #[test]
    fn links_and_permissions_are_kept_and_nothing_is_left_behind() {
        let file = file(TEXT);
        let real = file.folder.path().join("real.toml");
        fs::rename(&file.path, &real).unwrap();
        fs::set_permissions(&real, Permissions::from_mode(0o640)).unwrap();
        symlink("real.toml", &file.path).unwrap();
        file.set("a.example", true);
        assert!(fs::symlink_metadata(&file.path).unwrap().is_symlink());
        assert_eq!(
            fs::metadata(&real).unwrap().permissions().mode() & 0o777,
            0o640
        );
        assert_eq!(fs::read_dir(file.folder.path()).unwrap().count(), 2);
    }

    fn written(text: &str, change: &SiteEdit) -> Result<String, EditError> {
        let file = file(text);
        edit_sites(&file.path, change, &KNOWN)?;
        Ok(fs::read_to_string(&file.path).unwrap())
    }

    fn site(text: &str, name: &str) -> Arc<Site> {
        let config = parse(text, Path::new("sites.toml"), &KNOWN).unwrap();
        let mut sites = config.sites.into_iter();
        Arc::new(sites.find(|site| &*site.name == name).unwrap())
    }

    fn fields(fields: &[(SiteField, &str)]) -> SiteValues {
        let fields = fields.iter().map(|(key, text)| (*key, (*text).to_owned()));
        fields.collect()
    }

    #[test]
    fn a_site_is_added_behind_the_last_one() {
        let add = SiteEdit::Add(fields(&[
            (SiteField::Url, "https://d.example/health"),
            (SiteField::Confirm, "3"),
            (SiteField::Tags, "eu, shop"),
        ]));
        let table = "\n[[sites]]\nurl = \"https://d.example/health\"\nconfirm = 3\n\
                     tags = [\"eu\", \"shop\"]\n";
        let expected = TEXT.replace("\n[history]", &format!("{table}\n[history]"));
        assert_eq!(written(TEXT, &add).unwrap(), expected);
        for empty in ["", "# nothing yet\n", "[monitor]\ninterval = \"30s\"\n"] {
            let added = written(empty, &add).unwrap();
            assert!(
                added.starts_with(empty) && added.ends_with(&table[1..]),
                "{added}"
            );
        }
        let inline = "sites = [\n  { url = \"https://a.example\" }, # one\n]\n";
        assert_eq!(
            site(&written(inline, &add).unwrap(), "d.example/health").confirm,
            3
        );
    }

    #[test]
    fn a_change_keeps_comments_and_an_empty_value_removes_its_key() {
        let change = |name, keys| SiteEdit::Change(site(TEXT, name), fields(keys));
        let edited = written(
            TEXT,
            &change(
                "a.example",
                &[
                    (SiteField::Url, "https://z.example"),
                    (SiteField::Name, "Z"),
                ],
            ),
        );
        let expected = TEXT.replace(
            "url   = 'https://a.example'  # the first\n",
            "url   = \"https://z.example\"  # the first\nname = \"Z\"\n",
        );
        assert_eq!(edited.unwrap(), expected);
        let edited = written(TEXT, &change("c.example", &[(SiteField::Tags, "")])).unwrap();
        assert!(!edited.contains("tags"), "{edited}");
        // What would be a mistake is not written.
        let taken = change("c.example", &[(SiteField::Name, "B")]);
        assert!(matches!(written(TEXT, &taken), Err(EditError::Invalid(_))));
    }

    #[test]
    fn a_deleted_site_takes_its_own_comment_along_and_no_other() {
        let text = TEXT.replace("# two\n", "# --- shops ---\n\n# two\n");
        let delete =
            |names: &[&str]| SiteEdit::Delete(names.iter().map(|name| site(&text, name)).collect());
        let edited = written(&text, &delete(&["B"])).unwrap();
        let b = "# two\n[[sites]]\nname = \"B\"\nurl = \"https://b.example\"\n# why\n\
                 paused = true # until spring\n\n";
        assert_eq!(edited, text.replace(b, ""));
        let edited = written(&text, &delete(&["a.example", "B", "c.example"])).unwrap();
        assert_eq!(
            edited,
            "# my sites\n\n# --- shops ---\n\n[history] # kept\nraw = \"7d\"\n# the end\n"
        );
        let child = format!("{text}[[sites]]\nurl = \"https://k.example\"\nparent = \"B\"\n");
        let refused = written(&child, &delete(&["B"])).unwrap_err();
        assert!(
            refused.to_string().contains("there is no site \"B\""),
            "{refused}"
        );
    }

    #[test]
    fn tags_are_added_and_removed_and_a_site_of_a_list_is_edited_there() {
        let tag = |sites| SiteEdit::Tag {
            sites,
            add: vec!["eu".into()],
            remove: vec!["x".into()],
        };
        let both = vec![site(TEXT, "a.example"), site(TEXT, "c.example")];
        let edited = written(TEXT, &tag(both)).unwrap();
        for name in ["a.example", "c.example"] {
            assert_eq!(site(&edited, name).tags.join(" "), "eu", "{edited}");
        }
        let file = file(&format!("[monitor]\ninclude = [\"l.txt\"]\n\n{TEXT}"));
        fs::write(file.folder.path().join("l.txt"), "https://l.example\n").unwrap();
        let config = load(&file.path, &KNOWN, SecretUse::Unused).unwrap();
        let listed = config
            .sites
            .into_iter()
            .find(|site| &*site.name == "l.example");
        let listed = Arc::new(listed.unwrap());
        let refused = edit_sites(
            &file.path,
            &SiteEdit::Delete(vec![Arc::clone(&listed)]),
            &KNOWN,
        );
        let refused = refused.unwrap_err().to_string();
        assert!(
            refused.ends_with("\"l.example\" stands in a list that it includes: change it there")
        );
        edit_sites(&file.path, &tag(vec![listed]), &KNOWN).unwrap();
        let config = load(&file.path, &KNOWN, SecretUse::Unused).unwrap();
        assert_eq!(
            config
                .sites
                .iter()
                .filter(|site| site.tags.contains(&"eu".into()))
                .count(),
            1
        );
    }

    #[test]
    fn an_edit_is_taken_back_and_done_again_unless_somebody_changed_the_file() {
        let file = file(TEXT);
        let read = || fs::read_to_string(&file.path).unwrap();
        let delete = SiteEdit::Delete(vec![site(TEXT, "B")]);
        let done = edit_sites(&file.path, &delete, &KNOWN).unwrap();
        let edited = read();
        let undone = restore(&file.path, &done.undo).unwrap();
        assert_eq!(read(), TEXT);
        let again = restore(&file.path, &undone.undo).unwrap();
        assert_eq!(read(), edited);
        fs::write(&file.path, format!("{edited}# mine\n")).unwrap();
        let refused = restore(&file.path, &again.undo).unwrap_err();
        assert!(
            refused
                .to_string()
                .ends_with("another program has changed it")
        );
    }
}
