//! Tables of another program's SQLite file as JSON: read only, in bounded amounts, and without
//! trust in its schema.

use std::fmt;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _};
use serde_json::{Map, Value};

use super::open::plain;

/// The most rows of a table, and the most bytes of all its texts.
const MOST_ROWS: usize = 200_000;
const MOST_BYTES: usize = 64 << 20;

/// The first bytes of an SQLite file (sqlite.org/fileformat.html, section 1.3).
const MAGIC: &[u8] = b"SQLite format 3\0";

/// Why a table cannot be read.
#[derive(Debug)]
pub enum TableError {
    /// An error of SQLite.
    Sqlite(rusqlite::Error),
    /// The table of this name is larger than a configuration can be.
    TooMuch(Box<str>),
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(error) => write!(f, "not to be read as a database: {}", plain(error)),
            Self::TooMuch(table) => write!(f, "the table {table} is too large"),
        }
    }
}

impl std::error::Error for TableError {}

impl From<rusqlite::Error> for TableError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// A row: column name to value; a blob is null.
pub type TableRow = Map<String, Value>;

/// Whether these first bytes of a file are those of an SQLite file.
#[must_use]
pub fn is_database(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// The rows of the tables of these names, in that order; a table that does not exist has none.
///
/// # Errors
/// If the file is no database, or a table is larger than a configuration can be.
pub fn tables(path: &Path, names: &[&str]) -> Result<Vec<Vec<TableRow>>, TableError> {
    let read = |connection: &Connection| {
        names
            .iter()
            .map(|name| table(connection, name))
            .collect::<Result<Vec<_>, _>>()
    };
    let opened = open(path.to_owned(), OpenFlags::empty()).and_then(|file| read(&file));
    match opened {
        // A copy in a folder that cannot be written, whose journal is not there.
        Err(TableError::Sqlite(error))
            if matches!(
                error.sqlite_error_code(),
                Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly)
            ) =>
        {
            let mut uri = "file:".to_owned();
            for c in path.to_string_lossy().chars() {
                match c {
                    '%' => uri.push_str("%25"),
                    '?' => uri.push_str("%3f"),
                    '#' => uri.push_str("%23"),
                    c => uri.push(c),
                }
            }
            uri.push_str("?immutable=1");
            read(&open(uri.into(), OpenFlags::SQLITE_OPEN_URI)?)
        }
        opened => opened,
    }
}

fn open(path: std::path::PathBuf, more: OpenFlags) -> Result<Connection, TableError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | more;
    let connection = Connection::open_with_flags(path, flags)?;
    // Nothing in its schema may run code.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    Ok(connection)
}

/// The rows of a real table: a view could compute without end.
fn table(connection: &Connection, name: &str) -> Result<Vec<TableRow>, TableError> {
    let sql: Option<String> = connection
        .query_row(
            "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?1",
            [name],
            |row| row.get(0),
        )
        .optional()?;
    let real = sql.is_some_and(|sql| !sql.to_ascii_uppercase().starts_with("CREATE VIRTUAL"));
    if !real {
        return Ok(Vec::new());
    }
    let quoted = name.replace('"', "\"\"");
    let mut query = connection.prepare(&format!("SELECT * FROM \"{quoted}\" ORDER BY rowid"))?;
    let columns: Vec<String> = query.column_names().map(str::to_owned).collect();
    let mut rows = query.query([])?;
    let mut read = Vec::new();
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let mut entries = Map::new();
        for (index, column) in columns.iter().enumerate() {
            let value = match row.get_ref(index)? {
                ValueRef::Null | ValueRef::Blob(_) => Value::Null,
                ValueRef::Integer(number) => number.into(),
                ValueRef::Real(number) => number.into(),
                ValueRef::Text(text) => {
                    bytes += text.len();
                    String::from_utf8_lossy(text).into_owned().into()
                }
            };
            entries.insert(column.clone(), value);
        }
        read.push(entries);
        if read.len() > MOST_ROWS || bytes > MOST_BYTES {
            return Err(TableError::TooMuch(name.into()));
        }
    }
    Ok(read)
}
