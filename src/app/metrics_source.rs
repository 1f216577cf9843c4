//! Answers the questions of the metrics endpoint.

use std::io;

use tokio::sync::{mpsc, oneshot};

use crate::metrics::{ChannelMetrics, Endpoint, MetricsPage, MetricsQuestion, MonitorMetrics};
use crate::monitor::State;

use super::driver::Driver;

impl Driver {
    /// Answers at once: with a page of sites, or that the monitor is alive.
    pub fn answer(&self, question: MetricsQuestion) {
        match question {
            MetricsQuestion::Page { from, answer } => {
                let mut page = MetricsPage::of(self.monitor(), from, self.silences());
                if from == 0 {
                    page.whole = Some(self.metrics());
                    // The history counts while the other pages are asked for.
                    page.pending = self.count_pending();
                }
                // The connection may be closed already.
                let _unheard = answer.send(page);
            }
            MetricsQuestion::Alive(answer) => {
                let _unheard = answer.send(());
            }
        }
    }

    fn metrics(&self) -> MonitorMetrics {
        let channels = self.channels.iter();
        MonitorMetrics {
            in_flight: self.census().running,
            blind: self.blind().is_some(),
            outages_open: self.monitor().totals().of(State::Down),
            channels: channels
                .map(|((owner, channel), up)| ChannelMetrics {
                    owner: owner.clone(),
                    channel: channel.clone(),
                    up: *up,
                })
                .collect(),
        }
    }

    /// Asks the history for the number of pending messages; its thread sends the answer.
    fn count_pending(&self) -> Option<oneshot::Receiver<u64>> {
        let (sender, count) = oneshot::channel();
        self.history().ask(move |book| {
            if let Ok(pending) = book.pending_count() {
                let _unheard = sender.send(pending);
            }
        });
        Some(count)
    }
}

/// The questions of the endpoint, if metrics are served.
#[derive(Debug)]
pub(super) struct MetricsQuestions(Option<mpsc::Receiver<MetricsQuestion>>);

impl MetricsQuestions {
    /// Starts to serve on the bound endpoint.
    pub(super) fn of(endpoint: Option<Endpoint>) -> io::Result<Self> {
        Ok(Self(endpoint.map(Endpoint::serve).transpose()?))
    }

    /// The next question; pending for ever without an endpoint.
    pub(super) async fn next(&mut self) -> MetricsQuestion {
        if let Some(questions) = &mut self.0
            && let Some(question) = questions.recv().await
        {
            return question;
        }
        // If the endpoint's thread has ended, the loop must not spin here.
        std::future::pending().await
    }
}
