//! The Lab screen: the same sleeps or crunches under the paradigm in use, with the interpreter
//! lock above and without it below, on one scale.
//!
//! ```text
//!  [2] THREADS | 4 x crunch of 1.00s | 2 cores | lock on, then off | Enter runs it
//!  The lock made it 2.0 times slower: computing needs it.
//!  JOB       RUN LOCK WAIT  one scale, 37ms a cell
//!  LOCK ON   took 4.03s, predicted 4 x 1.00s ÷ 1 lock = 4.00s (+1%), 1.0 of 2 cores
//!  crunch 1  25%  75%   0%  │███▒▒▒▒▒▒▒▒▒███▒▒▒▒▒▒▒▒▒███▒▒▒▒▒▒▒▒▒
//!  crunch 2  25%  75%   0%  │▒▒▒███▒▒▒▒▒▒▒▒▒███▒▒▒▒▒▒▒▒▒███▒▒▒▒▒▒
//!  4 threads want to run and one may, the holder of the lock …
//!  LOCK OFF  …
//! ```

mod job_lanes;
mod screen;
mod summary_lines;

pub(crate) use screen::VIEW;
