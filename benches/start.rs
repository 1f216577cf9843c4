//! From the command to the first screen, and what the program weighs at rest.
//!
//! `cargo bench --bench start [-- --quick]`
//!
//! The real binary in a pseudo-terminal, watching 100 sites that a process of its own
//! serves. Beside it, how long the same binary takes to say its version there: what the
//! system needs to start any program of this size.

#[path = "support/median.rs"]
mod median;
#[path = "support/process.rs"]
mod process;
#[path = "support/server.rs"]
mod server;
#[path = "support/session.rs"]
mod session;
#[path = "support/table.rs"]
mod table;

use std::error::Error;
use std::time::Duration;

use median::median;
use process::status;
use server::{uniform, urls};
use session::{PATIENCE, Session};
use table::Table;

const SITES: usize = 100;
/// What ends a frame: the end of the synchronized update.
const FRAME: &[u8] = b"\x1b[?2026l";

const SQUIRREL: &str = env!("CARGO_BIN_EXE_squirrel");

fn main() -> Result<(), Box<dyn Error>> {
    let Some(mut table) = Table::asked("Start, and rest") else {
        return Ok(());
    };
    let server = uniform(16, &["--delay", "50ms"])?;
    let home = tempfile::tempdir()?;
    let mut list = String::from("[monitor]\ninterval = \"1h\"\n");
    let urls = urls(&server.handshake.addresses);
    for (index, url) in (0..SITES).zip(urls.iter().cycle()) {
        list.push_str(&format!(
            "[[sites]]\nname = \"site {index}\"\nurl = \"{url}{index}\"\n"
        ));
    }
    std::fs::write(home.path().join("sites.toml"), list)?;

    let rounds = if table.quick { 5 } else { 25 };
    let (mut version, mut screen, mut rest, mut most) = (vec![], vec![], vec![], vec![]);
    // The first round reads the binary into the system's cache and is not counted.
    for round in 0..=rounds {
        let mut bare = Session::start(SQUIRREL, home.path(), &["--version"])?;
        let said = bare.until(|screen| !screen.contents().trim().is_empty())?;
        bare.child.wait()?;
        let mut session = Session::start(SQUIRREL, home.path(), &[])?;
        let shown = until_frame(&mut session)?;
        if round > 0 {
            version.push(said.as_secs_f64() * 1e3);
            screen.push(shown.as_secs_f64() * 1e3);
        }
        if round + 3 > rounds {
            let all_up = format!("{SITES} UP");
            session.until(|screen| screen.contents().contains(&all_up))?;
            let process = session.process();
            rest.push(status(&process, "VmRSS")? / 1024.0 / 1024.0);
            most.push(status(&process, "VmHWM")? / 1024.0 / 1024.0);
        }
        session.end()?;
    }
    table.note(
        "squirrel --version: its first word",
        format!("{:.1} ms", median(version)),
    );
    let figure = format!("squirrel, {SITES} sites: its first frame, median of {rounds}");
    table.at_most(&figure, median(screen), 50.0, " ms");
    table.at_most("resident after the first sweep", median(rest), 25.0, " MiB");
    table.note("resident at most", format!("{:.1} MiB", median(most)));
    table.print()?;
    Ok(())
}

/// Reads until a frame is complete; gives how long after the start that was.
fn until_frame(session: &mut Session) -> Result<Duration, Box<dyn Error>> {
    let mut seen = Vec::new();
    loop {
        let (at, piece) = session.pieces.recv_timeout(PATIENCE)?;
        session.terminal.process(&piece);
        seen.extend(piece);
        if seen.windows(FRAME.len()).any(|bytes| bytes == FRAME) {
            if !session.terminal.screen().contents().contains("site 9 ") {
                return Err("the first frame shows no sites".into());
            }
            return Ok(at - session.began);
        }
    }
}
