//! `squirrel worker`: carries out the checks of the process that started it.

use crate::paradigm;

use super::exit::{Exit, say};

pub(super) fn run() -> Exit {
    match paradigm::work_for_parent() {
        Ok(()) => Exit::Fine,
        Err(error) => {
            say(format!(
                "a worker is started by squirrel itself, for the paradigm \"processes\" ({error})"
            ));
            Exit::Mistake
        }
    }
}
