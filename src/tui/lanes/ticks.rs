//! The labels below an axis, in seconds since the page began.

use super::Axis;

/// The labels of the newest page: the cell that each stands at, and its text.
pub(crate) fn ticks(axis: &Axis) -> Vec<(usize, String)> {
    let step = tick_step(axis);
    let cell = axis.cell().as_secs_f64();
    let mut ticks = Vec::new();
    for number in 0.. {
        let seconds = step * f64::from(number);
        let index = (seconds / cell).round() as usize;
        let text = label(seconds, step);
        if index + text.len() > axis.cells() {
            break;
        }
        ticks.push((index, text));
    }
    ticks
}

/// Seconds between two labels: 1, 2 or 5 times a power of ten, at least ten cells apart.
fn tick_step(axis: &Axis) -> f64 {
    let least = axis.cell().as_secs_f64() * 10.0;
    let power = 10_f64.powf(least.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
    steps
        .into_iter()
        .find(|step| *step >= least)
        .unwrap_or(least)
}

fn label(seconds: f64, step: f64) -> String {
    let digits = (-step.log10().floor()).max(0.0) as usize;
    format!("{seconds:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Moment;
    use std::time::Duration;

    #[test]
    fn labels_stand_apart_and_are_round() {
        let axis = |millis, cells| {
            let end = Moment::ZERO + Duration::from_secs(1_000);
            Axis::still(end, Duration::from_millis(millis), cells)
        };
        for (millis, cells, step) in [
            (10_000, 64, 2.0),
            (10_000, 133, 1.0),
            (1_000, 64, 0.2),
            (600_000, 64, 100.0),
        ] {
            assert!(
                (tick_step(&axis(millis, cells)) - step).abs() < 1e-9,
                "{millis}"
            );
        }
        assert_eq!(label(0.4, 0.2), "0.4");
        assert_eq!(label(4.0, 2.0), "4");
    }
}
