//! The outbox: what stands in the history as pending is sent, by one thread a channel.

use std::io;
use std::sync::Arc;

use tokio::sync::watch;

use crate::domain::Clock;
use crate::history::History;

use super::carrier::{Carrier, PostNews};
use super::settings::Plan;
use super::table::ALL;

/// The threads; they end when this is dropped, in the middle of a delivery if need be. What
/// was under way is sent again by the next run, under the same id.
#[derive(Debug)]
pub struct Outbox {
    plan: watch::Sender<Arc<Plan>>,
}

impl Outbox {
    /// Starts the threads. `bell` is rung whenever there is something new; `tell` is called
    /// on their threads.
    ///
    /// # Errors
    /// If a thread cannot be started.
    pub fn start(
        history: &History,
        plan: Plan,
        clock: &Arc<dyn Clock>,
        bell: &watch::Receiver<()>,
        tell: impl Fn(PostNews) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let (plan, planned) = watch::channel(Arc::new(plan));
        let tell: Arc<dyn Fn(PostNews) + Send + Sync> = Arc::new(tell);
        for entry in &ALL {
            let carrier = Carrier {
                entry,
                history: history.clone(),
                clock: Arc::clone(clock),
                plan: planned.clone(),
                bell: bell.clone(),
                tell: Arc::clone(&tell),
            };
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            std::thread::Builder::new()
                .name(format!("send-{}", entry.name))
                .spawn(move || {
                    runtime.block_on(carrier.run());
                    // A resolver that hangs is not waited for.
                    runtime.shutdown_background();
                })?;
        }
        Ok(Self { plan })
    }

    /// Another configuration from now on.
    pub fn plan(&self, plan: Plan) {
        self.plan.send_if_modified(|known| {
            let new = **known != plan;
            if new {
                *known = Arc::new(plan);
            }
            new
        });
    }
}
