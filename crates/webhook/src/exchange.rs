//! What is exchanged with the server, beside all answers: policies, scans, and what was decided.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use seareeve_admission::{Counts, Report, Scanned, Severities};
use seareeve_api::{
    AdmissionCount, AdmissionReport, AdmissionSample, Client, ClientError, FixableCounts,
    ImageCounts, ImageCountsRequest,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::certificates::Certificates;
use crate::memory::Memory;
use crate::policies::Policies;

/// How often files are looked at.
const LOOK: Duration = Duration::from_secs(5);
/// How often the server is asked for its policy and told what was decided.
const EXCHANGE: Duration = Duration::from_secs(20);
/// Images in one question.
const IMAGES: usize = 500;
/// The pause after a question about images that got no answer.
const PAUSE: Duration = Duration::from_secs(5);

/// See the module.
pub(crate) struct Exchange {
    pub(crate) memory: Arc<Memory>,
    pub(crate) certificates: Arc<Certificates>,
    pub(crate) policies: Policies,
    pub(crate) server: Option<Client>,
    pub(crate) cluster: String,
    pub(crate) name: String,
}

/// What goes on between two exchanges.
#[derive(Default)]
struct Course {
    /// A report that the server has not confirmed: it is sent again as it is.
    open: Option<AdmissionReport>,
    /// When the server was asked last.
    asked: Option<Instant>,
    /// Whether the last exchange failed: it is said once.
    is_away: bool,
}

impl Exchange {
    /// Goes on until `stop`, and then tells what is left.
    pub(crate) fn start(self, stop: CancellationToken) -> JoinHandle<()> {
        let memory = Arc::clone(&self.memory);
        tokio::spawn(async move {
            let mut state = (self, Course::default());
            loop {
                state = match blocking(state, Self::turn).await {
                    Some(state) => state,
                    None => return,
                };
                tokio::select! {
                    () = stop.cancelled() => break,
                    () = memory.wanted.notified() => {}
                    () = tokio::time::sleep(LOOK) => {}
                }
            }
            blocking(state, Self::finish).await;
        })
    }

    fn turn(&mut self, course: &mut Course) {
        self.certificates.look();
        self.policies.look(&self.memory);
        let Some(server) = self.server.take() else {
            // Nobody is told: what was counted would only grow.
            self.memory.take();
            return;
        };
        if course.asked.is_none_or(|asked| asked.elapsed() >= EXCHANGE) {
            course.asked = Some(Instant::now());
            self.memory.ask();
            let done = self
                .policy(&server)
                .and_then(|()| self.report(&server, course));
            self.memory.note_server(done.is_ok());
            course.note(done);
        }
        let wanted = self.memory.take_wanted(IMAGES);
        if !wanted.is_empty() {
            self.memory.ask();
            let done = self.images(&server, wanted);
            let is_answered = done.is_ok();
            self.memory.note_server(is_answered);
            course.note(done);
            if !is_answered {
                std::thread::sleep(PAUSE);
            }
        }
        self.server = Some(server);
    }

    fn finish(&mut self, course: &mut Course) {
        let Some(server) = self.server.take() else {
            return;
        };
        let had_open = course.open.is_some();
        let mut done = self.report(&server, course);
        if had_open && done.is_ok() {
            done = self.report(&server, course);
        }
        course.note(done);
    }

    fn policy(&mut self, server: &Client) -> Result<(), ClientError> {
        if !self.policies.is_of_server() {
            return Ok(());
        }
        let said = server.admission_policy(&self.cluster)?;
        if let Err(error) = self.policies.take(said, &self.memory) {
            // A newer server may speak of what this version does not know.
            warn!(
                error = format!("{error:#}"),
                "the server's policy cannot be used here; the last one stays"
            );
        }
        Ok(())
    }

    /// Tells what was decided, even if that is nothing: then the server knows that somebody is here.
    fn report(&self, server: &Client, course: &mut Course) -> Result<(), ClientError> {
        let report = match course.open.take() {
            Some(report) => report,
            None => self.wire(self.memory.take().unwrap_or_default()),
        };
        let done = server.report_admission(&report);
        match done {
            Ok(_taken) => Ok(()),
            // It would be refused again, and again.
            Err(ClientError::Refused {
                status: 400 | 413, ..
            }) => done.map(|_taken| ()),
            Err(error) => {
                course.open = Some(report);
                Err(error)
            }
        }
    }

    fn wire(&self, report: Report) -> AdmissionReport {
        AdmissionReport {
            id: id(),
            cluster: self.cluster.clone(),
            gate: self.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            policy: self.memory.in_force().digest,
            reviews: report.reviews,
            certificate: Some(self.certificates.told()),
            counts: report
                .counts
                .into_iter()
                .map(|count| AdmissionCount {
                    recommendation: count.recommendation,
                    namespace: count.namespace,
                    effect: count.effect,
                    count: count.count,
                })
                .collect(),
            samples: report
                .samples
                .into_iter()
                .map(|sample| AdmissionSample {
                    recommendation: sample.recommendation,
                    namespace: sample.namespace,
                    effect: sample.effect,
                    at: sample.at,
                    operation: sample.operation,
                    kind: sample.kind,
                    name: sample.name,
                    user: sample.user,
                    message: sample.message,
                })
                .collect(),
        }
    }

    /// Asks for images that reviews named.
    fn images(&self, server: &Client, images: Vec<String>) -> Result<(), ClientError> {
        debug!(images = images.len(), "asking for scans");
        let request = ImageCountsRequest {
            images,
            without: self.memory.in_force().policy.excluded_findings(),
        };
        let answer = server.image_counts(&request)?;
        // Of what it does not answer to, it knows nothing.
        let mut learned: BTreeMap<String, Option<Scanned>> = request
            .images
            .into_iter()
            .map(|image| (image, None))
            .collect();
        learned.extend(answer.images.into_iter().map(|image| {
            let scanned = image.digest.is_some().then(|| scanned(&image));
            (image.image, scanned)
        }));
        self.memory.learn(learned);
        Ok(())
    }
}

impl Course {
    fn note(&mut self, done: Result<(), ClientError>) {
        match done {
            Ok(()) => self.is_away = false,
            Err(error) => {
                let error = format!("{:#}", anyhow::Error::from(error));
                if self.is_away {
                    debug!(error, "the server is still away");
                } else {
                    warn!(
                        error,
                        "the server is away; answers go on by the last policy"
                    );
                }
                self.is_away = true;
            }
        }
    }
}

/// The client waits for answers, so it does not run where others wait for the network.
async fn blocking(
    (mut exchange, mut course): (Exchange, Course),
    step: fn(&mut Exchange, &mut Course),
) -> Option<(Exchange, Course)> {
    let done = tokio::task::spawn_blocking(move || {
        step(&mut exchange, &mut course);
        (exchange, course)
    });
    done.await.ok()
}

fn scanned(image: &ImageCounts) -> Scanned {
    let of = |counts: FixableCounts| Counts {
        fixable: counts.fixable,
        unfixable: counts.unfixable,
    };
    Scanned {
        findings: Severities {
            critical: of(image.critical),
            high: of(image.high),
            medium: of(image.medium),
            low: of(image.low),
        },
    }
}

/// Names a report. Where the system has no random numbers, the time has to do.
fn id() -> String {
    let mut bytes = [0; 16];
    match getrandom::fill(&mut bytes) {
        Ok(()) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        Err(_no_entropy) => Timestamp::now().as_nanosecond().to_string(),
    }
}
