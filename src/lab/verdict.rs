//! Who won, and why: a sentence computed from what was measured.

use super::{Board, Figures, Row, Workload, fine};

/// Sweeps that differ by less than this are alike.
const ALIKE: f64 = 1.05;

/// Who won and why, as far as the race has come; `None` before anybody has run.
#[must_use]
pub fn verdict(board: &Board) -> Option<String> {
    let mut ran: Vec<(&Row, Figures)> = board
        .listed()
        .filter_map(|(_, row)| Some((row, row.figures()?)))
        .collect();
    ran.sort_by_key(|(_, figures)| figures.sweep);
    let (_, best) = *ran.first()?;
    let alike: Vec<_> = ran
        .iter()
        .take_while(|(_, figures)| figures.sweep.as_secs_f64() <= best.sweep.as_secs_f64() * ALIKE)
        .collect();
    let names: Vec<&str> = alike.iter().map(|(row, _)| row.label.name).collect();
    if ran.len() == 1 {
        return Some(format!("{} took {}.", names[0], fine(best.sweep)));
    }
    let won = if names.len() == ran.len() {
        format!("Nobody won: all took about {}", fine(best.sweep))
    } else {
        let alike = if names.len() > 1 { " alike" } else { "" };
        format!("{} won{alike} with {}", listed(&names), fine(best.sweep))
    };
    let reason = match board.workload {
        Workload::Crunch => computing(board, alike[0].0, &best),
        Workload::Http | Workload::Sleep => waiting(board, &best),
    };
    Some(format!("{won}: {reason}.{}", cheapest(&alike)))
}

fn waiting(board: &Board, best: &Figures) -> String {
    let floor = board
        .floor()
        .filter(|(_, floor)| best.sweep.as_secs_f64() <= floor.as_secs_f64() * 1.1);
    let why = match floor {
        Some((name, floor)) => format!(
            "all waits overlap, and nothing beats the slowest one ({name}, {})",
            fine(floor)
        ),
        None => "the more waits overlap, the sooner the last one ends".to_owned(),
    };
    match board.speedup(best).filter(|speedup| *speedup > ALIKE) {
        Some(speedup) => format!("{why}. That is {speedup:.1} times faster than one at a time"),
        None => why,
    }
}

fn computing(board: &Board, winner: &Row, best: &Figures) -> String {
    let cores = best.cores().map_or_else(
        || "all that it could get".to_owned(),
        |cores| format!("{cores:.1} of {} cores", board.cores),
    );
    let speedup = board.speedup(best).unwrap_or(1.0);
    if speedup <= ALIKE {
        let lock = if board.gil { " under one lock" } else { "" };
        return format!("computing{lock} gains nothing by taking turns; {cores} were used");
    }
    let why = match (board.gil, best.processes > 1) {
        (true, true) => "each process has a lock of its own, so that none waits for another",
        // Threads cannot gain anything under one lock.
        (true, false) => "something else used the machine while others ran",
        (false, _) => "without a lock whoever has a core computes",
    };
    let name = winner.label.name;
    format!("{why}; {name} used {cores} and was {speedup:.1} times faster than one at a time")
}

/// Of those that are alike, the one that needs least.
fn cheapest(alike: &[&(&Row, Figures)]) -> String {
    let cost = |figures: &Figures| (figures.processes, figures.threads);
    let least = alike.iter().map(|(_, figures)| cost(figures)).min();
    let Some((processes, threads)) = least.filter(|_| alike.len() > 1) else {
        return String::new();
    };
    let of_least: Vec<&str> = alike
        .iter()
        .filter(|(_, figures)| cost(figures) == (processes, threads))
        .map(|(row, _)| row.label.name)
        .collect();
    let [name] = of_least[..] else {
        return String::new();
    };
    let noun = if threads == 1 { "thread" } else { "threads" };
    format!(" {name} did it with {threads} {noun}.")
}

/// "a", "a and b", "a, b and c".
fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_listed_as_people_do() {
        assert_eq!(listed(&["a"]), "a");
        assert_eq!(listed(&["a", "b"]), "a and b");
        assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
    }
}
