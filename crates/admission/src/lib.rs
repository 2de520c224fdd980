//! What may enter a cluster: recommendations as rules of admission.
//!
//! A [`Policy`] says for each recommendation and namespace whether violations are passed over, recorded, warned of or
//! refused. A [`Gate`] answers admission reviews by it: the object becomes a fact (`seareeve_kubernetes`), the checks
//! that the recommendation names judge it (`seareeve_posture`), and the mode decides what becomes of the verdict.
//! [`preview`] says of a whole snapshot what would become of its objects, and [`export()`] writes the same rules as
//! Kubernetes' own ValidatingAdmissionPolicies.
//!
//! Pure: no network, no files, no clock. What cannot be judged is let in, and said.

#![warn(clippy::indexing_slicing)]

mod answer;
mod export;
mod facts;
mod gate;
mod images;
mod policy;
mod preview;
mod review;
mod tally;
mod webhook;
mod yaml;

pub use answer::{Answer, Decision, Effect};
pub use export::{Export, Exported, NotExported, export};
pub use gate::Gate;
pub use images::{Counts, Images, NoImages, Scanned, Severities, full_name};
pub use policy::{Mode, Policy, PolicyError, PolicyFile, RuleFile, Unchecked, Updates};
pub use preview::{Hit, Preview, Tallied, preview};
pub use review::{Operation, Review, ReviewError, reply};
pub use tally::{Count, Report, Sample, Tally};
pub use webhook::{Reach, Webhook, configuration};
pub use yaml::document as yaml;
