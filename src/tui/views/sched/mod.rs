//! The Scheduling screen: which thread runs which check, and when it runs or waits.
//!
//! ```text
//!  1 process, 4 threads | running 4 of 16 | queue 12 | sweep 4 of 16 in 0.7s | worst late …
//!  news started 1.3s late: behind pay 1.5s and 11 more checks on 4 workers.
//!  THREAD    CPU  NET IDLE  LATE  by thread, 10s a page | sweep = about SUM 6.0s ÷ 4 = 1.5s
//!  pid 4100, this program: 4 threads share 14M of memory
//!  thread-1   1%  99%   0%  0.0s  │api────────│shop─────────────│img──────│wiki──────
//!  thread-2   1%  75%  24%  0.0s  │www─────│blog────────────────│git────________
//!  queue 12                       ▆▆▆▆▆▆▅▅▅▅▅▅▄▄▄▄▄▄▄▄▃▃▃▃▂▂▂▂▂▂▁▁▁▁▁▁
//!  in flight 4                    ████████████████████████▆▆▆▄▄▄▄▄▄▂▂▂▂
//!  seconds                        0         1         2         3     ^now
//!  │ start  ─ network  █ cpu  ▒ lock  · queued  : ready  _ idle  ✗ down
//! ```

mod answer_lines;
mod by_site;
mod check_detail;
mod host_rows;
mod lane;
mod lane_columns;
mod lane_layout;
mod lane_row;
mod screen;
mod strips;
mod time_shares;

pub(crate) use lane_layout::LaneLayout;
pub(crate) use screen::VIEW;
pub(crate) use strips::{draw_legend, hidden};
