//! The Scheduling screen: who runs which check, when it runs and when it merely waits.
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

mod board;
mod by_site;
mod columns;
mod detail;
mod hosts;
mod lane;
mod row;
mod screen;
mod shares;
mod strips;
mod words;

pub(crate) use board::Board;
pub(crate) use screen::VIEW;
pub(crate) use strips::{draw_legend, hidden};
