//! The wiring: one closed event enum, one loop; decide, then act.
//!
//! [`Core`] moves checks between plan, dispatcher and monitor, with or without a screen;
//! the session around it turns what happens into what is done about it.

mod core;
mod event;
mod export;
mod keeper;
mod launch;
pub mod log;
mod lookout;
mod machine;
mod picture;
mod session;
mod workers;
mod workshop;
mod world;

pub use self::core::{Core, CoreError, Happening};
pub use event::Ending;
pub use keeper::{Keeper, Kept};
pub use launch::{Launch, SessionError};
pub use machine::Meter;
pub use picture::{Picture, picture};
pub use session::run;
pub use workers::{Workers, choose, step};
