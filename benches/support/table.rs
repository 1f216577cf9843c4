//! How a bench is asked, and how it answers: one row a figure, with its target and whether
//! it is reached.

use std::io::{self, Write};

use mimalloc::MiMalloc;

/// The program's own.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// What a bench measured so far.
pub(crate) struct Table {
    title: &'static str,
    /// Fewer rounds, for a quick run.
    pub(crate) quick: bool,
    /// Figure, measured, target, and whether it is reached.
    pub(crate) rows: Vec<[String; 4]>,
}

impl Table {
    /// `None` unless `cargo bench` runs it: as a test target a bench does nothing.
    pub(crate) fn asked(title: &'static str) -> Option<Self> {
        let given = |name: &str| std::env::args().any(|argument| argument == name);
        given("--bench").then(|| Self {
            title,
            quick: given("--quick"),
            rows: Vec::new(),
        })
    }

    /// A figure that has a target: the most that it may be, in `unit`.
    pub(crate) fn at_most(&mut self, figure: &str, measured: f64, target: f64, unit: &str) {
        let reached = if measured <= target { "yes" } else { "NO" };
        self.rows.push([
            figure.to_owned(),
            format!("{measured:.2}{unit}"),
            format!("<= {target}{unit}"),
            reached.to_owned(),
        ]);
    }

    /// A figure that explains others.
    pub(crate) fn note(&mut self, figure: &str, measured: impl Into<String>) {
        let none = || "-".to_owned();
        self.rows
            .push([figure.to_owned(), measured.into(), none(), none()]);
    }

    /// Prints the table.
    pub(crate) fn print(&self) -> io::Result<()> {
        let headings = ["figure", "measured", "target", "reached"].map(str::to_owned);
        let rows = || std::iter::once(&headings).chain(&self.rows);
        let width = |column: usize| rows().map(|row| row[column].chars().count()).max();
        let widths = [0, 1, 2].map(|column| width(column).unwrap_or_default());
        let mut out = io::stdout().lock();
        writeln!(out, "\n{}", self.title)?;
        for [figure, measured, target, reached] in rows() {
            let [a, b, c] = widths;
            writeln!(
                out,
                "  {figure:<a$}  {measured:>b$}  {target:>c$}  {reached}"
            )?;
        }
        out.flush()
    }
}
