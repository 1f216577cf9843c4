//! Pausing and resuming a site in the file, every comment and blank of it kept.

use std::fmt;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};

use toml_edit::{
    Array, ArrayOfTables, DocumentMut, InlineTable, Item, RawString, Table, TableLike, Value, value,
};

use crate::domain::{Site, plain_io_error};

use super::diagnostics::{Diagnostics, shown_path};
use super::files::{self, ContentHash};
use super::known_names::KnownNames;
use super::load::{MainFile, read_main};
use super::secret::SecretUse;

/// Why the file was not changed.
#[derive(Debug)]
pub enum EditError {
    /// The file has mistakes, which an edit could make worse.
    Invalid(Diagnostics),
    /// The file could not be read or written, or the site was not found in it.
    Failed {
        /// The path of the file.
        path: PathBuf,
        /// The reason in plain words.
        why: String,
    },
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(mistakes) => {
                write!(f, "not changed, because of mistakes in it: {mistakes}")
            }
            Self::Failed { path, why } => {
                write!(f, "{} could not be changed: {why}", shown_path(path))
            }
        }
    }
}

impl std::error::Error for EditError {}

/// The content that an edit wrote; passed to [`Watcher::expect`](super::Watcher::expect), so that
/// the program's own edit does not count as a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrittenContent(ContentHash);

impl WrittenContent {
    pub(super) const fn content(self) -> ContentHash {
        self.0
    }
}

/// Writes into the file that `site` is paused, or that it is not. A site that comes from an
/// included list gets a table of its own under `[[sites]]`.
///
/// # Errors
/// [`EditError`]; the file is then as it was.
pub fn set_paused(
    path: &Path,
    site: &Site,
    paused: bool,
    known: &KnownNames<'_>,
) -> Result<WrittenContent, EditError> {
    let failed = |why: String| EditError::Failed {
        path: path.to_owned(),
        why,
    };
    let files::LoadedFile { text, source } =
        files::read_regular(path).map_err(EditError::Invalid)?;
    let edited = edit(&text, path, site, paused, known)?;
    let (bytes, _) =
        files::regular(path, files::MOST_BYTES).map_err(|error| failed(error.to_string()))?;
    if Some(ContentHash::of(&bytes)) != source.content {
        return Err(failed("another program is changing it".to_owned()));
    }
    let mut content = Vec::with_capacity(edited.len() + 3);
    if bytes.len() > text.len() {
        content.extend_from_slice(files::BYTE_ORDER_MARK.encode_utf8(&mut [0; 4]).as_bytes());
    }
    content.extend_from_slice(edited.as_bytes());
    if content != bytes {
        replace(path, &content).map_err(|error| failed(plain_io_error(&error).into_owned()))?;
    }
    Ok(WrittenContent(ContentHash::of(&content)))
}

/// The text with the site paused or not.
pub(super) fn edit(
    text: &str,
    path: &Path,
    site: &Site,
    paused: bool,
    known: &KnownNames<'_>,
) -> Result<String, EditError> {
    let failed = |why: &str| EditError::Failed {
        path: path.to_owned(),
        why: why.to_owned(),
    };
    let main = read_good(text, path, known)?;
    let mut document: DocumentMut = text.parse().map_err(|_| failed("it is not valid TOML"))?;
    match index_of(&main, site) {
        Some(index) => {
            set_at(&mut document, index, paused)
                .ok_or_else(|| failed("the site's table was not found"))?;
        }
        None if paused => append(&mut document, site, &main.config.monitor.owners),
        None => return Ok(text.to_owned()),
    }
    let mut edited = document.to_string();
    if text.contains("\r\n") && !text.replace("\r\n", "").contains('\n') {
        edited = edited.replace("\r\n", "\n").replace('\n', "\r\n");
    }
    // An edit that did not do what it should must not reach the disk.
    let after = read_good(&edited, path, known)?;
    let is_paused = index_of(&after, site).and_then(|index| {
        let draft = after.drafts.good.iter().find(|draft| draft.index == index);
        draft.map(|draft| draft.site.paused)
    });
    if is_paused.unwrap_or(false) != paused {
        return Err(failed("the site's table was not found"));
    }
    Ok(edited)
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

/// The site's place among `[[sites]]`: by the name it is given there, or by its URL.
fn index_of(main: &MainFile, site: &Site) -> Option<usize> {
    let mut drafts = main.drafts.good.iter();
    let named =
        |draft: &&super::sites_table::SiteDraft| draft.named && draft.site.name == site.name;
    let unnamed = |draft: &&super::sites_table::SiteDraft| {
        !draft.named && draft.site.spec.url == site.spec.url
    };
    let found = drafts.clone().find(named).or_else(|| drafts.find(unnamed));
    found.map(|draft| draft.index)
}

/// Sets the flag in the table of the site; `None` if there is no such table.
fn set_at(document: &mut DocumentMut, index: usize, paused: bool) -> Option<()> {
    match document.get_mut("sites")? {
        Item::ArrayOfTables(tables) => set_flag(tables.get_mut(index)?, paused),
        Item::Value(Value::Array(array)) => {
            let table = array.get_mut(index)?.as_inline_table_mut()?;
            close_up(table);
            set_flag(table, paused);
            close_up(table);
        }
        _ => return None,
    }
    Some(())
}

/// The blank before the closing brace belongs to the brace, not to the value that happens to
/// stand last.
fn close_up(table: &mut InlineTable) {
    if let Some((_, last)) = table.iter_mut().last() {
        let blank = |raw: Option<&RawString>| {
            raw.and_then(RawString::as_str)
                .is_none_or(|text| text.trim().is_empty())
        };
        let decor = last.decor();
        if blank(decor.prefix()) && blank(decor.suffix()) {
            last.decor_mut().clear();
        }
    }
}

fn set_flag(table: &mut dyn TableLike, paused: bool) {
    let has_comment = table.get_key_value("paused").is_some_and(|(key, item)| {
        let decor = item.as_value().map(Value::decor);
        let behind = decor.and_then(|decor| decor.suffix()?.as_str());
        let before = key.leaf_decor().prefix().and_then(|prefix| prefix.as_str());
        [before, behind]
            .into_iter()
            .flatten()
            .any(|text| text.contains('#'))
    });
    match table.get_mut("paused").and_then(Item::as_value_mut) {
        // A comment that belongs to the key would go with it.
        Some(old) if paused || has_comment => {
            let decor = old.decor().clone();
            *old = Value::from(paused);
            *old.decor_mut() = decor;
        }
        Some(_) => {
            table.remove("paused");
        }
        None if paused => {
            table.insert("paused", value(true));
        }
        None => {}
    }
}

/// Adds a table for a site that a list has, with what it has of the list.
fn append(document: &mut DocumentMut, site: &Site, owners: &[Box<str>]) {
    let url = &site.spec.url;
    let mut table = Table::new();
    let made_names = [url.host_and_path(), url.shown()];
    if !made_names.contains(&&*site.name) && !site.name.starts_with(&format!("{} (", url.shown())) {
        table.insert("name", value(&*site.name));
    }
    table.insert("url", value(url.expose()));
    let texts = |texts: &[Box<str>]| texts.iter().map(|text| &**text).collect::<Array>();
    if *site.owners != *owners {
        table.insert("owners", value(texts(&site.owners)));
    }
    if !site.tags.is_empty() {
        table.insert("tags", value(texts(&site.tags)));
    }
    table.insert("paused", value(true));
    match document.get_mut("sites") {
        Some(Item::ArrayOfTables(tables)) => tables.push(table),
        Some(Item::Value(Value::Array(array))) => {
            array.push(table.into_inline_table());
        }
        _ => {
            let mut tables = ArrayOfTables::new();
            tables.push(table);
            document.insert("sites", Item::ArrayOfTables(tables));
        }
    }
}

/// Puts `content` in the place of the file atomically: a reader, even after a crash, sees
/// either the old content or the new.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    // A link stays a link; what it leads to is replaced.
    let target = fs::canonicalize(path)?;
    let metadata = fs::metadata(&target)?;
    if metadata.permissions().readonly() {
        return Err(io::Error::other("it is read-only"));
    }
    let folder = target.parent().unwrap_or_else(|| Path::new("/"));
    let temporary = TemporaryFile::create(folder, &metadata.permissions())?;
    // Only a privileged user may give a file away; for others it is theirs already.
    let _ = chown(&temporary.path, Some(metadata.uid()), Some(metadata.gid()));
    fs::set_permissions(&temporary.path, metadata.permissions())?;
    let mut file = &temporary.file;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&temporary.path, &target)?;
    // The rename itself must survive a crash; not every file system can say so of a folder.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

/// A file that is being written, removed again unless it was renamed.
struct TemporaryFile {
    path: PathBuf,
    file: File,
}

impl TemporaryFile {
    fn create(folder: &Path, permissions: &Permissions) -> io::Result<Self> {
        use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
        let mut number = 0;
        loop {
            let path = folder.join(format!(".sites.toml.{}-{number}", std::process::id()));
            let created = OpenOptions::new()
                .write(true)
                .create_new(true)
                // Never wider than the original, not even for a moment.
                .mode(permissions.mode() & 0o600)
                .open(&path);
            match created {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 100 => {
                    number += 1;
                }
                created => {
                    return Ok(Self {
                        path,
                        file: created?,
                    });
                }
            }
        }
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        // After the rename there is nothing to remove.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::super::load::load;
    use super::*;

    const KNOWN: KnownNames<'static> = KnownNames {
        paradigms: &["async"],
        channels: &crate::notify::KNOWN_CHANNELS,
    };

    const TEXT: &str = "# my sites\n\n[[sites]] # one\nurl   = 'https://a.example'  # the first\n\n\
        # two\n[[sites]]\nname = \"B\"\nurl = \"https://b.example\"\n# why\npaused = true # until spring\n\n\
        [[sites]]\nurl = \"https://c.example\"\npaused = true\ntags = [\n  \"x\", # y\n]\n\n[history] # kept\nraw = \"7d\"\n# the end\n";

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
            let written = set_paused(&self.path, site.unwrap(), paused, &KNOWN).unwrap();
            let text = fs::read_to_string(&self.path).unwrap();
            assert_eq!(written.content(), ContentHash::of(text.as_bytes()));
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
            let error = set_paused(&file.path, &site, true, &KNOWN).unwrap_err();
            assert!(matches!(error, EditError::Invalid(_)), "{error}");
            assert_eq!(fs::read_to_string(&file.path).unwrap(), broken);
        }
        fs::remove_file(&file.path).unwrap();
        let error = set_paused(&file.path, &site, true, &KNOWN).unwrap_err();
        assert!(error.to_string().contains("there is no such file"));
    }

    #[test]
    fn a_read_only_file_is_left_as_it_is() {
        let file = file(TEXT);
        let site = load(&file.path, &KNOWN, SecretUse::Unused).unwrap().sites[0].clone();
        fs::set_permissions(&file.path, Permissions::from_mode(0o444)).unwrap();
        let error = set_paused(&file.path, &site, true, &KNOWN).unwrap_err();
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
}
