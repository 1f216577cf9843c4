//! The paradigms, by which checks are run: one file a paradigm, one table, one live switch.
//!
//! A paradigm decides which thread polls the probe's one `async fn`, and nothing else: it
//! has no HTTP client of its own, no schedule, and no state of a site. A new one is a
//! file here and a row in `table.rs`.

mod celery;
mod child;
mod child_main;
mod child_reply;
mod child_supervisor;
mod deferred_join;
mod futures;
#[doc(hidden)]
pub mod fuzzing;
mod green;
mod job_queue;
mod job_runner;
mod jobs_ahead;
mod limits;
mod paradigm_trait;
mod processes;
mod queue_figures;
mod receipt;
mod runtime_driver;
mod serial;
mod start_error;
mod switch;
mod table;
mod task_pool;
mod task_socket;
mod thread_pool;
mod threads;
mod work_stealing;

pub use crate::domain::QueueOptions;
pub use celery::{
    BrokerError, BrokerOptions, LineFormat, PreparedServer, ServeError, WorkerOptions,
    work_for_broker, work_line_by_line,
};
pub use child_main::work_for_parent;
pub use deferred_join::join_deferred;
pub use limits::{FILES_OF_A_MONITOR, FILES_OF_A_SWEEP, clamp, ensure_files, raise_file_limit};
pub use paradigm_trait::{
    Census, Label, Law, Paradigm, ParadigmContext, ParadigmEntry, Shape, WorkerLoss,
};
pub use queue_figures::{HostFigures, QueueFigures, WorkerFigures};
pub use receipt::Receipt;
pub use start_error::StartError;
pub use switch::{Dispatcher, Offer};
pub use table::{ALL, DEFAULT, labels, names, position};
