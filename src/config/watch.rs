//! Whether the configuration has changed since it was read: asked from time to time.

use std::collections::{HashMap, HashSet};
use std::fs::Metadata;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::configuration::Config;
use super::edit_file::WrittenContent;
use super::files::{self, ContentHash, FileStamp};
use super::include;
use super::load::folder_of;

/// One file as it was at the last poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileState {
    stamp: Option<FileStamp>,
    content: Option<ContentHash>,
}

impl FileState {
    /// It is not there, or is nothing that can be read again.
    const NONE: Self = Self {
        stamp: None,
        content: None,
    };
}

/// Watches the file of a configuration, the lists it includes, which lists there are, and the
/// files that its keys name: certificates and secrets.
///
/// A poll asks the file system once for each pattern and each file, and reads a file again only
/// when its metadata differ: touching a file is no change. Has no thread of its own.
#[derive(Debug)]
pub struct Watcher {
    path: PathBuf,
    /// The globs that the file had when it could last be read.
    globs: Vec<Box<str>>,
    /// The files that its keys named then.
    named: Vec<PathBuf>,
    seen: HashMap<PathBuf, FileState>,
    /// The file was missing at the last poll. Editors that replace a file leave a
    /// moment without one.
    gone: bool,
}

impl Watcher {
    /// Watches what `config` was read from, as it was then; `None` if that was no file.
    #[must_use]
    pub fn new(config: &Config) -> Option<Self> {
        let seen = config.sources.iter().map(|source| {
            let seen = FileState {
                stamp: source.stamp,
                content: source.content,
            };
            (source.path.clone(), seen)
        });
        let named = config.sources.iter().filter(|source| source.named);
        Some(Self {
            path: config.path.clone()?,
            globs: config
                .monitor
                .include
                .iter()
                .map(|lists| lists.pattern.clone())
                .collect(),
            named: named.map(|source| source.path.clone()).collect(),
            seen: seen.collect(),
            gone: false,
        })
    }

    /// The file's content was written by this program and is no change.
    pub fn expect(&mut self, written: WrittenContent) {
        let seen = FileState {
            stamp: None,
            content: Some(written.content()),
        };
        self.seen.insert(self.path.clone(), seen);
    }

    /// Whether any of the files has changed since the last call.
    pub fn poll(&mut self) -> bool {
        let Ok(metadata) = self.path.metadata() else {
            // Twice in a row it is no editor any more.
            let was_gone = std::mem::replace(&mut self.gone, true);
            let known = self.seen.get(&self.path);
            let changed = was_gone && known.is_some_and(|seen| seen.content.is_some());
            if changed {
                self.seen.insert(self.path.clone(), FileState::NONE);
            }
            return changed;
        };
        self.gone = false;
        let mut changed = false;
        if let Some((seen, text)) = self.read_changed(&self.path, Some(&metadata)) {
            let before = self.seen.insert(self.path.clone(), seen);
            if before.is_none_or(|before| before.content != seen.content) {
                changed = true;
                // The new text may name other files, even if something else in it is wrong and
                // it is not taken over: mending such a file must be noticed.
                if let Some(text) = text {
                    (self.globs, self.named) = names_in(&text, folder_of(&self.path));
                }
            }
        }
        self.poll_others() || changed
    }

    fn poll_others(&mut self) -> bool {
        let folder = folder_of(&self.path);
        let found = self.globs.iter();
        let found = found.filter_map(|glob| include::find(folder, glob).ok());
        let mut lists: HashSet<PathBuf> = found.flatten().collect();
        let named: HashSet<PathBuf> = self.named.iter().cloned().collect();
        lists.retain(|path| *path != self.path && !named.contains(path));
        let before = self.seen.len();
        self.seen
            .retain(|path, _| *path == self.path || lists.contains(path) || named.contains(path));
        let mut changed = self.seen.len() != before;
        let lists = lists.into_iter().map(|list| (list, true));
        for (path, found) in lists.chain(named.into_iter().map(|file| (file, false))) {
            let metadata = path.metadata().ok();
            let other = |metadata: &Metadata| !metadata.is_file();
            if found && metadata.as_ref().is_some_and(other) {
                // A pattern means files; what was one may have become something else.
                changed |= self.seen.remove(&path).is_some();
            } else if let Some((seen, _)) = self.read_changed(&path, metadata.as_ref()) {
                let before = self.seen.insert(path, seen);
                changed |= before.is_none_or(|before| before.content != seen.content);
            }
        }
        changed
    }

    /// What a file is like now, and its text, if its metadata differ from what was seen.
    fn read_changed(
        &self,
        path: &Path,
        metadata: Option<&Metadata>,
    ) -> Option<(FileState, Option<String>)> {
        let before = self.seen.get(path);
        let stamp = metadata.filter(|metadata| metadata.is_file());
        let stamp = stamp.map(FileStamp::from);
        if before
            .is_some_and(|seen| seen.stamp == stamp && (stamp.is_some() || seen.content.is_none()))
        {
            return None;
        }
        if stamp.is_none() && metadata.is_some() && *path == *self.path {
            // Neither a pipe nor a device can be read twice.
            return before.is_none().then_some((FileState::NONE, None));
        }
        let bytes = stamp.and_then(|_| files::regular(path, files::MOST_BYTES).ok());
        let Some((bytes, metadata)) = bytes else {
            let content = None;
            return Some((FileState { stamp, content }, None));
        };
        let seen = FileState {
            // Of the file that was read, which may be newer than its metadata.
            stamp: Some(FileStamp::from(&metadata)),
            content: Some(ContentHash::of(&bytes)),
        };
        Some((seen, String::from_utf8(bytes).ok()))
    }
}

/// The globs of `monitor.include`, and the files that keys name, of a text that may be wrong in
/// every way.
fn names_in(text: &str, folder: &Path) -> (Vec<Box<str>>, Vec<PathBuf>) {
    let (document, _) = DeTable::parse_recoverable(text);
    let monitor = document.get_ref().get("monitor");
    let of_monitor = |key| Some(monitor?.get_ref().get(key)?.get_ref());
    let globs = of_monitor("include").and_then(DeValue::as_array);
    let globs = globs.into_iter().flat_map(|array| array.iter());
    let globs = globs.filter_map(|element| match element.get_ref() {
        DeValue::Table(table) => Some(table.get("file")?.get_ref().as_str()?.into()),
        element => Some(element.as_str()?.into()),
    });
    let mut files = Vec::new();
    files.extend(of_monitor("ca_file").and_then(DeValue::as_str));
    for (key, value) in document.get_ref() {
        // No secret stands in `[monitor]`, and the `file` of `include` is a pattern.
        if key.get_ref() != "monitor" {
            secret_files(value.get_ref(), &mut files);
        }
    }
    let files = files.into_iter().map(|file| folder.join(file));
    (globs.collect(), files.collect())
}

/// The files of every `{ file = "PATH" }` in a value.
fn secret_files<'a>(value: &'a DeValue<'_>, files: &mut Vec<&'a str>) {
    match value {
        DeValue::Table(table) => {
            for (key, value) in table {
                if key.get_ref() == "file" {
                    files.extend(value.get_ref().as_str());
                }
                secret_files(value.get_ref(), files);
            }
        }
        DeValue::Array(array) => {
            for value in array.iter() {
                secret_files(value.get_ref(), files);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use std::sync::Arc;

    use crate::domain::SiteEdit;

    use super::super::edit::edit_sites;
    use super::super::known_names::KnownNames;
    use super::super::load::load;
    use super::super::secret::SecretUse;
    use super::*;

    const KNOWN: KnownNames<'static> = KnownNames {
        paradigms: &[],
        channels: &crate::notify::KNOWN_CHANNELS,
    };
    const TEXT: &str =
        "[monitor]\ninclude = [\"lists/*.txt\"]\n[[sites]]\nurl = \"https://a.example\"\n";

    struct Watched {
        folder: tempfile::TempDir,
        path: PathBuf,
        watcher: Watcher,
    }

    fn watched() -> Watched {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sites.toml");
        fs::create_dir(folder.path().join("lists")).unwrap();
        fs::write(folder.path().join("lists/a.txt"), "https://b.example\n").unwrap();
        fs::write(&path, TEXT).unwrap();
        let mut watcher = Watcher::new(&load(&path, &KNOWN, SecretUse::Unused).unwrap()).unwrap();
        assert!(!watcher.poll());
        Watched {
            folder,
            path,
            watcher,
        }
    }

    impl Watched {
        /// Writes a file and says whether that was noticed, once.
        fn noticed(&mut self, name: &str, text: &str) -> bool {
            fs::write(self.folder.path().join(name), text).unwrap();
            let noticed = self.watcher.poll();
            assert!(!self.watcher.poll(), "a change is noticed once");
            noticed
        }
    }

    #[test]
    fn a_change_of_any_file_is_noticed_once() {
        let mut watched = watched();
        assert!(watched.noticed("sites.toml", &format!("{TEXT}# more\n")));
        assert!(watched.noticed("lists/a.txt", "https://c.example\n"));
        assert!(
            watched.noticed("lists/b.txt", "https://d.example\n"),
            "a new list"
        );
        assert!(!watched.noticed("lists/b.md", "no list"));
        fs::remove_file(watched.folder.path().join("lists/a.txt")).unwrap();
        assert!(watched.watcher.poll(), "a list less");
        assert!(!watched.watcher.poll());
    }

    #[test]
    fn writing_the_same_again_is_no_change() {
        let mut watched = watched();
        assert!(!watched.noticed("sites.toml", TEXT));
        assert!(!watched.noticed("lists/a.txt", "https://b.example\n"));
    }

    #[test]
    fn an_editor_that_replaces_the_file_is_followed() {
        let mut watched = watched();
        let other = watched.folder.path().join("sites.toml~");
        fs::rename(&watched.path, &other).unwrap();
        assert!(!watched.watcher.poll(), "a moment without the file");
        fs::write(&watched.path, TEXT).unwrap();
        assert!(!watched.watcher.poll(), "the same file again");
        fs::rename(&watched.path, &other).unwrap();
        assert!(watched.noticed("sites.toml", "# new\n"));
    }

    #[test]
    fn a_file_that_stays_away_is_a_change_and_so_is_its_return() {
        let mut watched = watched();
        fs::remove_file(&watched.path).unwrap();
        assert!(!watched.watcher.poll());
        assert!(watched.watcher.poll());
        assert!(!watched.watcher.poll());
        assert!(watched.noticed("sites.toml", TEXT));
    }

    #[test]
    fn what_the_program_writes_itself_is_no_change() {
        let mut watched = watched();
        let config = load(&watched.path, &KNOWN, SecretUse::Unused).unwrap();
        let site = Arc::new(config.sites[0].clone());
        let pause = |paused| SiteEdit::Pause(vec![Arc::clone(&site)], paused);
        let written = edit_sites(&watched.path, &pause(true), &KNOWN).unwrap();
        watched.watcher.expect(written.content);
        assert!(!watched.watcher.poll());
        // What somebody else writes on top of it is one.
        let written = edit_sites(&watched.path, &pause(false), &KNOWN).unwrap();
        watched.watcher.expect(written.content);
        assert!(watched.noticed("sites.toml", "# mine\n"));
    }

    #[test]
    fn a_change_between_reading_and_watching_is_noticed() {
        let watched = watched();
        let config = load(&watched.path, &KNOWN, SecretUse::Unused).unwrap();
        fs::write(&watched.path, "# changed\n").unwrap();
        assert!(Watcher::new(&config).unwrap().poll());
    }

    #[test]
    fn lists_that_a_broken_file_includes_are_watched() {
        let mut watched = watched();
        fs::write(watched.folder.path().join("x.txt"), "nonsense\n").unwrap();
        assert!(watched.noticed("sites.toml", "[monitor]\ninclude = [\"x.txt\"]\nbad = \n"));
        assert!(watched.noticed("x.txt", "https://x.example\n"));
    }

    #[test]
    fn lists_with_owners_are_watched() {
        let mut watched = watched();
        let text =
            "[owners.ops]\n[monitor]\ninclude = [{ file = \"more/*.txt\", owners = [\"ops\"] }]\n";
        assert!(watched.noticed("sites.toml", text));
        fs::create_dir(watched.folder.path().join("more")).unwrap();
        assert!(watched.noticed("more/a.txt", "https://c.example\n"));
        assert!(!watched.noticed("lists/a.txt", "https://d.example\n"));
    }

    #[test]
    fn files_that_keys_name_are_watched_and_so_are_those_of_a_broken_file() {
        let mut watched = watched();
        fs::write(watched.folder.path().join("pw"), "one").unwrap();
        let secret = "[notify.push]\ntoken = { file = \"pw\" }\n";
        fs::write(&watched.path, secret).unwrap();
        let config = load(&watched.path, &KNOWN, SecretUse::Needed).unwrap();
        watched.watcher = Watcher::new(&config).unwrap();
        assert!(!watched.watcher.poll());
        assert!(!watched.noticed("pw", "one"));
        assert!(watched.noticed("pw", "two"));
        fs::remove_file(watched.folder.path().join("pw")).unwrap();
        assert!(watched.watcher.poll(), "it is gone");
        assert!(watched.noticed("pw", "three"), "it is back");
        // None of these is there, and the file is refused.
        let broken = "[monitor]\nca_file = \"ca\"\n\
            [notify]\npush = { token = { file = \"token\" } }\nbad = \n";
        assert!(watched.noticed("sites.toml", broken));
        assert!(watched.noticed("ca", "certificates"));
        assert!(watched.noticed("token", "secret"));
        assert!(!watched.noticed("pw", "four"), "nothing names it any more");
    }

    #[test]
    fn what_a_pattern_finds_and_is_no_file_is_no_change() {
        let mut watched = watched();
        let folder = watched.folder.path().join("lists/folder.txt");
        fs::create_dir(&folder).unwrap();
        assert!(!watched.watcher.poll());
        fs::remove_dir(&folder).unwrap();
        assert!(!watched.watcher.poll());
        let list = watched.folder.path().join("lists/a.txt");
        fs::remove_file(&list).unwrap();
        fs::create_dir(&list).unwrap();
        assert!(watched.watcher.poll(), "a list less");
        assert!(!watched.watcher.poll());
    }

    #[test]
    fn sites_of_the_command_line_are_not_watched() {
        assert!(Watcher::new(&Config::default()).is_none());
    }
}
