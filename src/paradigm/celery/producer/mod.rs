//! The sender's loop: jobs in, messages out, answers in, results out.

mod answers;
mod care;
mod run;
mod state;

pub(super) use run::{TAKE_BACK_WITHIN, ready};
pub(super) use state::{Board, Producer, Setup, Word};
