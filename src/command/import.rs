//! `squirrel import`: another monitor's configuration as a sites.toml.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::config::KnownNames;
use crate::domain::{FileError, clean, plural};
use crate::history;
use crate::import::{
    ALL, Converted, ImportError, ImportFile, KUMA_TABLES, convert, kuma_backup, position,
};
use crate::paradigm;

use super::exit::{Exit, OutputError, fail, say};
use super::import_args::ImportArgs;

/// The largest file that is read, in bytes.
const LARGEST: u64 = 64 << 20;

pub(super) fn run(args: &ImportArgs) -> Exit {
    match import(args) {
        Ok(converted) => {
            say(summary(&converted));
            Exit::Fine
        }
        Err(error) => fail(error),
    }
}

/// Why nothing was imported.
#[derive(Debug)]
enum ImportFailure {
    /// No such format; the parser of the command line lets none of these pass.
    NoSuchFormat,
    /// A file of the other monitor, or the new sites.toml.
    File(FileError),
    /// Larger than [`LARGEST`].
    TooLarge { name: String },
    /// Not UTF-8 in this line.
    NotText { name: String, line: usize },
    /// A database that cannot be read; the text names the file.
    Database(String),
    /// The files are no configuration of that monitor. `names` of those that are meant.
    Unusable { names: String, error: ImportError },
    /// The new sites.toml would replace a file.
    Exists { name: String },
    /// Standard output.
    Output(OutputError),
}

impl fmt::Display for ImportFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchFormat => f.write_str("there is no such format"),
            Self::File(error) => error.fmt(f),
            Self::TooLarge { name } => write!(
                f,
                "{name}: cannot be read: it is larger than {} MiB",
                LARGEST >> 20
            ),
            Self::NotText { name, line } => write!(f, "{name}:{line}: not UTF-8 text"),
            Self::Database(why) => f.write_str(why),
            Self::Unusable { names, error } => match error.line {
                Some(_) => write!(f, "{names}:{error}"),
                None => write!(f, "{names}: {error}"),
            },
            Self::Exists { name } => {
                write!(f, "{name}: it is there already; --force writes over it")
            }
            Self::Output(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ImportFailure {}

fn import(args: &ImportArgs) -> Result<Converted, ImportFailure> {
    // The parser of the command line lets no other name pass.
    let entry = position(&args.format).map(|place| &ALL[place]);
    let entry = entry.ok_or(ImportFailure::NoSuchFormat)?;
    let names: Vec<String> = args.files.iter().map(|path| name_of(path)).collect();
    let mut texts = Vec::new();
    for (path, name) in args.files.iter().zip(&names) {
        texts.push(match entry.name {
            "kuma" if is_kuma_database(path) => backup(path, name)?,
            _ => read(path, name)?,
        });
    }
    let inputs = names.iter().zip(&texts);
    let inputs: Vec<_> = inputs
        .map(|(name, text)| ImportFile { name, text })
        .collect();
    let paradigms = paradigm::names();
    let known = KnownNames {
        paradigms: &paradigms,
        channels: &crate::notify::KNOWN_CHANNELS,
    };
    let converted = convert(entry, &inputs, &known).map_err(|error| {
        let names = match error.line {
            Some(_) => names[error.file].clone(),
            // An error without a line is about all files.
            None => names.join(", "),
        };
        ImportFailure::Unusable { names, error }
    })?;
    match &args.output {
        Some(path) => write(path, &converted.toml, args.force).map_err(|error| {
            if error.kind() == io::ErrorKind::AlreadyExists {
                let name = name_of(path);
                ImportFailure::Exists { name }
            } else {
                ImportFailure::File(FileError::write(path, error))
            }
        })?,
        None => match io::stdout().write_all(converted.toml.as_bytes()) {
            // The reader may close its end early.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                return Err(ImportFailure::Output(OutputError(error)));
            }
            _ => {}
        },
    }
    Ok(converted)
}

/// A path without control characters.
fn name_of(path: &Path) -> String {
    clean(&path.to_string_lossy(), 200)
}

fn is_kuma_database(path: &Path) -> bool {
    let mut start = [0; 16];
    let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && history::is_database(&start)
}

/// The tables of an Uptime Kuma database, in the form of its backup file.
fn backup(path: &Path, name: &str) -> Result<String, ImportFailure> {
    let tables = history::tables(path, &KUMA_TABLES)
        .map_err(|error| ImportFailure::Database(format!("{name}: {error}")))?;
    let tables: [_; KUMA_TABLES.len()] =
        std::array::from_fn(|index| tables.get(index).map_or(&[][..], Vec::as_slice));
    Ok(kuma_backup(tables))
}

fn read(path: &Path, name: &str) -> Result<String, ImportFailure> {
    let fail = |error: io::Error| ImportFailure::File(FileError::read(path, error));
    let name = || name.to_owned();
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(fail)?;
    file.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(fail)?;
    if bytes.len() as u64 > LARGEST {
        return Err(ImportFailure::TooLarge { name: name() });
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
        ImportFailure::NotText { name: name(), line }
    })
}

/// Writes the file in one step, by a file beside it. Only its owner may read it: URLs may hold
/// passwords.
fn write(path: &Path, text: &str, force: bool) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let beside = folder.join(format!(".squirrel-import-{}", std::process::id()));
    let written = (|| {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        if force {
            fs::rename(&beside, path)
        } else {
            // Unlike a rename, it refuses a name that is taken.
            fs::hard_link(&beside, path)
        }
    })();
    // After a rename it is gone already.
    let _gone = fs::remove_file(&beside);
    written
}

fn summary(converted: &Converted) -> String {
    let Converted {
        sites,
        left_out,
        unsupported,
        ..
    } = converted;
    format!(
        "{} written, {left_out} left out; {} without a counterpart, in comments",
        plural(*sites, "site"),
        plural(*unsupported, "setting"),
    )
}
