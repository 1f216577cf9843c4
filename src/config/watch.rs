//! Whether the configuration has changed since it was read: asked from time to time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::configuration::Config;
use super::edit::WrittenContent;
use super::files::{self, ContentHash, FileStamp};
use super::include;
use super::load::folder_of;

/// One file as it was at the last poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileState {
    stamp: Option<FileStamp>,
    content: Option<ContentHash>,
}

/// Watches the file of a configuration, the lists it includes, and which lists there are.
///
/// Asks the file system for metadata, and reads a file again only when that differs: touching
/// a file is no change. Has no thread of its own.
#[derive(Debug)]
pub struct Watcher {
    path: PathBuf,
    /// The globs that the file had when it could last be read.
    globs: Vec<Box<str>>,
    seen: BTreeMap<PathBuf, FileState>,
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
        Some(Self {
            path: config.path.clone()?,
            globs: config.monitor.include.clone(),
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
        if !self.path.exists() {
            // Twice in a row it is no editor any more.
            let was_gone = std::mem::replace(&mut self.gone, true);
            let known = self
                .seen
                .get(&self.path)
                .is_some_and(|s| s.content.is_some());
            if was_gone && known {
                self.seen.insert(
                    self.path.clone(),
                    FileState {
                        stamp: None,
                        content: None,
                    },
                );
                return true;
            }
            return false;
        }
        self.gone = false;
        let mut changed = false;
        let main = self.read_changed(&self.path);
        if let Some((seen, text)) = main {
            let before = self.seen.insert(self.path.clone(), seen);
            if before.is_none_or(|before| before.content != seen.content) {
                changed = true;
                // The new text may include other lists, even if something else in it is
                // wrong and it is not taken over: mending such a list must be noticed.
                if let Some(globs) = text.as_deref().map(globs_of) {
                    self.globs = globs;
                }
            }
        }
        self.poll_lists() || changed
    }

    fn poll_lists(&mut self) -> bool {
        let folder = folder_of(&self.path);
        let lists: Vec<PathBuf> = self
            .globs
            .iter()
            .filter_map(|glob| include::expand(folder, glob).ok())
            .flatten()
            .filter(|path| *path != self.path)
            .collect();
        let before = self.seen.len();
        self.seen
            .retain(|path, _| *path == self.path || lists.contains(path));
        let mut changed = self.seen.len() != before;
        for list in lists {
            if let Some((seen, _)) = self.read_changed(&list) {
                let before = self.seen.insert(list, seen);
                changed |= before.is_none_or(|before| before.content != seen.content);
            }
        }
        changed
    }

    /// What a file is like now, and its text, if its metadata differ from what was seen.
    fn read_changed(&self, path: &Path) -> Option<(FileState, Option<String>)> {
        let before = self.seen.get(path);
        let stamp = files::stamp(path).ok();
        if before
            .is_some_and(|seen| seen.stamp == stamp && (stamp.is_some() || seen.content.is_none()))
        {
            return None;
        }
        if stamp.is_none() && path.exists() {
            // Neither a pipe nor a device can be read twice.
            return before.is_none().then_some((
                FileState {
                    stamp,
                    content: None,
                },
                None,
            ));
        }
        let bytes = stamp.and_then(|_| files::regular(path, files::MOST_BYTES).ok());
        let Some((bytes, metadata)) = bytes else {
            return Some((
                FileState {
                    stamp,
                    content: None,
                },
                None,
            ));
        };
        let seen = FileState {
            // Of the file that was read, which may be newer than its metadata.
            stamp: Some(FileStamp::from(&metadata)),
            content: Some(ContentHash::of(&bytes)),
        };
        Some((seen, String::from_utf8(bytes).ok()))
    }
}

/// The globs of `monitor.include`, of a text that may be wrong in every way.
fn globs_of(text: &str) -> Vec<Box<str>> {
    let (document, _) = DeTable::parse_recoverable(text);
    let include = document
        .get_ref()
        .get("monitor")
        .and_then(|monitor| monitor.get_ref().get("include"))
        .and_then(|include| include.get_ref().as_array());
    include
        .into_iter()
        .flat_map(|array| array.iter())
        .filter_map(|value| match value.get_ref() {
            DeValue::String(glob) => Some(Box::from(&**glob)),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::edit::set_paused;
    use super::super::known_names::KnownNames;
    use super::super::load::load;
    use super::super::secret::SecretUse;
    use super::*;

    const KNOWN: KnownNames<'static> = KnownNames { paradigms: &[] };
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
        let site = load(&watched.path, &KNOWN, SecretUse::Unused)
            .unwrap()
            .sites[0]
            .clone();
        let written = set_paused(&watched.path, &site, true, &KNOWN).unwrap();
        watched.watcher.expect(written);
        assert!(!watched.watcher.poll());
        // What somebody else writes on top of it is one.
        let written = set_paused(&watched.path, &site, false, &KNOWN).unwrap();
        watched.watcher.expect(written);
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
    fn sites_of_the_command_line_are_not_watched() {
        assert!(Watcher::new(&Config::default()).is_none());
    }
}
