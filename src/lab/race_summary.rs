//! The summary of a race: the winners and the reason, computed from the measurements.

use super::{Medians, RaceRow, RaceState, Workload, fine};
use crate::domain::plural;

/// The ratio below which two sweeps count as equal.
pub const TIE_RATIO: f64 = 1.05;

/// A sentence about the winners so far and the reason; `None` before the first run has ended.
#[must_use]
pub fn race_summary(race_state: &RaceState) -> Option<String> {
    let mut ran: Vec<(&RaceRow, Medians)> = race_state
        .listed()
        .filter_map(|(_, row)| Some((row, row.medians()?)))
        .collect();
    ran.sort_by_key(|(_, medians)| medians.sweep);
    let (_, best) = *ran.first()?;
    let alike: Vec<_> = ran
        .iter()
        .take_while(|(_, medians)| {
            medians.sweep.as_secs_f64() <= best.sweep.as_secs_f64() * TIE_RATIO
        })
        .collect();
    let names: Vec<&str> = alike.iter().map(|(row, _)| row.label.name).collect();
    if ran.len() == 1 {
        return Some(format!("{} took {}.", names[0], fine(best.sweep)));
    }
    let won = if names.len() == ran.len() {
        format!("No winner: all took about {}", fine(best.sweep))
    } else {
        let alike = if names.len() > 1 { " together" } else { "" };
        format!("{} won{alike} with {}", listed(&names), fine(best.sweep))
    };
    let reason = match race_state.workload {
        Workload::Crunch => computing(race_state, alike[0].0, &best),
        Workload::Http | Workload::Sleep => waiting(race_state, &best),
    };
    Some(format!("{won}: {reason}.{}", cheapest(&alike)))
}

fn waiting(race_state: &RaceState, best: &Medians) -> String {
    let floor = race_state
        .floor()
        .filter(|(_, floor)| best.sweep.as_secs_f64() <= floor.as_secs_f64() * 1.1);
    let why = match floor {
        Some((name, floor)) => format!(
            "all waits overlap, and nothing beats the slowest one ({name}, {})",
            fine(floor)
        ),
        None => "the more waits overlap, the sooner the last one ends".to_owned(),
    };
    match race_state
        .speedup(best)
        .filter(|speedup| *speedup > TIE_RATIO)
    {
        Some(speedup) => format!("{why}. That is {speedup:.1} times faster than one at a time"),
        None => why,
    }
}

fn computing(race_state: &RaceState, winner: &RaceRow, best: &Medians) -> String {
    let cores = best.cores().map_or_else(
        || "all available cores".to_owned(),
        |cores| format!("{cores:.1} of {}", plural(race_state.cores, "core")),
    );
    let speedup = race_state.speedup(best).unwrap_or(1.0);
    if speedup <= TIE_RATIO {
        let lock = if race_state.gil {
            " under one lock"
        } else {
            ""
        };
        return format!("computing{lock} gains nothing by taking turns; it used {cores}");
    }
    let why = match (race_state.gil, best.processes > 1) {
        (true, true) => "each process has a lock of its own, and none waits for another",
        // Under one lock threads gain nothing, so another program must have caused the difference.
        (true, false) => "other programs slowed the others down",
        (false, _) => "without a lock each thread on a core computes",
    };
    let name = winner.label.name;
    format!("{why}; {name} used {cores} and was {speedup:.1} times faster than one at a time")
}

/// A sentence that names the winner with the fewest processes and threads; empty if there is
/// one winner only, or several need as few.
fn cheapest(alike: &[&(&RaceRow, Medians)]) -> String {
    let cost = |medians: &Medians| (medians.processes, medians.threads);
    let least = alike.iter().map(|(_, medians)| cost(medians)).min();
    let Some((processes, threads)) = least.filter(|_| alike.len() > 1) else {
        return String::new();
    };
    let of_least: Vec<&str> = alike
        .iter()
        .filter(|(_, medians)| cost(medians) == (processes, threads))
        .map(|(row, _)| row.label.name)
        .collect();
    let [name] = of_least[..] else {
        return String::new();
    };
    format!(" {name} did it with {}.", plural(threads, "thread"))
}

/// Joins names: "a", "a and b", "a, b and c".
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
