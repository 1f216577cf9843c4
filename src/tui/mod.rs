//! The screen: the only room that knows ratatui and crossterm.
//!
//! ```text
//! InputStream -> Ui::input -> Intent      keys in, wishes out; the app fulfils them
//! Scene -> Ui::tick, Ui::draw -> Terminal the state of the world in, one write a frame out
//! ```
//!
//! Architecture invariants: drawing takes `&self` and reads; nothing here changes a site,
//! starts a check or reads a clock; every key stands in one table, and so does every
//! screen.

mod browse;
mod curl;
mod filter;
mod finish;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod fleets;
mod format;
mod hindsight;
mod input;
mod key;
mod keymap;
mod lanes;
mod layout;
#[cfg(test)]
mod memories;
mod options;
mod order;
mod overlays;
mod pace;
mod past;
mod place;
mod recall;
mod scene;
mod scope;
#[cfg(test)]
mod screens;
mod sheet;
mod state;
mod steer;
mod stop;
mod strokes;
mod summary;
mod svg;
mod terminal;
mod theme;
mod tinker;
mod trial;
mod ui;
mod update;
mod views;
mod widgets;
#[cfg(test)]
mod work;
mod writer;

pub(crate) use format::plural;
pub use hindsight::{AsTheyAre, Extent, Fate, Fates, Hindsight, Reckoned, Replayed, Tried};
pub use input::{Input, InputStream};
pub use options::Options;
pub use overlays::help::keys_markdown;
pub use past::{
    Delivery, HistoryFile, Past, PastLetter, PastOutage, Recollection, Shares, SitePast, Span,
    Stretch, Told,
};
pub use scene::{Intent, Machine, Message, OnRecord, Scene, Tone, Wish, Workshop};
pub use sheet::Sheet;
pub use stop::ask_to_stop;
pub use terminal::Terminal;
pub use ui::Ui;
