//! What whoever reads the metrics wants to know of the driver.

use std::io;

use tokio::sync::{mpsc, oneshot};

use crate::metrics::{Endpoint, MetricsPage, MetricsQuestion};

use super::driver::Driver;

impl Driver {
    /// Answers at once, with no more than a page.
    pub fn answer(&self, question: MetricsQuestion) {
        match question {
            MetricsQuestion::Page { from, answer } => {
                let mut page = MetricsPage::of(self.monitor(), from, self.census().running);
                // Once a scrape: the history counts while the pages are taken.
                page.pending = (from == 0).then(|| self.count_pending()).flatten();
                // Who asked may be gone.
                let _unheard = answer.send(page);
            }
            MetricsQuestion::Alive(answer) => {
                let _unheard = answer.send(());
            }
        }
    }

    /// Asks the history how many messages wait; its thread answers.
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

/// The questions of an endpoint, if there is one.
#[derive(Debug)]
pub(super) struct MetricsQuestions(Option<mpsc::Receiver<MetricsQuestion>>);

impl MetricsQuestions {
    /// Begins to serve.
    pub(super) fn of(endpoint: Option<Endpoint>) -> io::Result<Self> {
        Ok(Self(endpoint.map(Endpoint::serve).transpose()?))
    }

    /// The next one; without an endpoint it never comes.
    pub(super) async fn next(&mut self) -> MetricsQuestion {
        if let Some(questions) = &mut self.0
            && let Some(question) = questions.recv().await
        {
            return question;
        }
        // Not asked again at once, should its thread have ended.
        std::future::pending().await
    }
}
