//! `seareeve sensor --kubernetes`: watches a cluster through its API, and sends what changes of it.
//!
//! It reads what `deploy/helm/seareeve` grants and nothing else; Secrets are never asked for.

use anyhow::Context as _;
use seareeve_api::{Client, ClientError};
use seareeve_collect::kubernetes::{
    Cluster, Connection, Limits, Observation, Pace, Refusal, Stop, Taker, Wanted, observe,
};
use seareeve_model::{FactDelta, FactIndex, FactKind};
use tracing::{info, warn};

use super::Sensor;
use crate::commands::Outcome;
use crate::commands::joining::{FIRST_PAUSE, LONGEST_PAUSE, is_final};
use crate::output::Messages;

/// Watches until the process ends, or once.
pub(super) fn run(
    sensor: &Sensor<'_>,
    first: &Connection,
    again: &dyn Fn() -> anyhow::Result<Connection>,
    messages: &Messages,
) -> anyhow::Result<Outcome> {
    let cluster = Cluster::new(first, Limits::default())?;
    let mut there = There {
        client: sensor.client(messages)?,
        sensor,
        messages,
    };
    let observation = Observation {
        pace: Pace {
            first: FIRST_PAUSE,
            most: LONGEST_PAUSE,
            ..Pace::default()
        },
        once: sensor.args.once,
        ..Observation::new(sensor.name())
    };
    let connect = || anyhow::Ok(Cluster::new(&again()?, Limits::default())?);
    let mut connect = || connect().map_err(|error| format!("{error:#}"));
    let stop = Stop::default();
    observe(cluster, &mut connect, &observation, &stop, &mut there)
        .with_context(|| format!("failed to observe the cluster {}", first.name))?;
    messages.note(format!("facts sent to {}", sensor.args.server));
    Ok(Outcome::Done)
}

/// The server that takes the facts.
struct There<'s> {
    client: Client,
    sensor: &'s Sensor<'s>,
    messages: &'s Messages,
}

impl There<'_> {
    fn refusal(&mut self, error: ClientError) -> Refusal {
        match &error {
            ClientError::Refused {
                status: 409, code, ..
            } if code == "stale_facts" => return Refusal::Stale,
            ClientError::Refused { status: 401, .. } => match self.sensor.joining().join_token() {
                Ok(Some(_)) => return self.join_again(),
                Ok(None) => {}
                Err(error) => return Refusal::Never(format!("{error:#}")),
            },
            _ => {}
        }
        let is_final = is_final(&error);
        let why = format!("{:#}", anyhow::Error::from(error));
        if is_final {
            Refusal::Never(why)
        } else {
            Refusal::Later(why)
        }
    }

    /// The server knows this sensor no more: it may join again, if it has what it takes.
    fn join_again(&mut self) -> Refusal {
        warn!("the server does not know this sensor any more: joining again");
        let sensor = self.sensor;
        match sensor.joining().join(|| sensor.name(), self.messages) {
            Ok(client) => {
                self.client = client;
                Refusal::Stale
            }
            Err(error) => Refusal::Never(format!("{error:#}")),
        }
    }
}

impl Taker for There<'_> {
    fn index(&mut self, index: &FactIndex) -> Result<Wanted, Refusal> {
        let taken = self.client.put_fact_index(index);
        let taken = taken.map_err(|error| self.refusal(error))?;
        let facts = taken.wanted.into_iter();
        let facts = facts.map(|(kind, ids)| Ok((FactKind::new(kind)?, ids)));
        let facts: Result<_, seareeve_model::FactKindError> = facts.collect();
        info!(cluster = taken.asset, "facts compared");
        Ok(Wanted {
            revision: taken.revision,
            facts: facts.map_err(|error| Refusal::Never(error.to_string()))?,
        })
    }

    fn delta(&mut self, delta: &FactDelta) -> Result<String, Refusal> {
        let taken = self.client.patch_facts(delta);
        let taken = taken.map_err(|error| self.refusal(error))?;
        if !delta.is_empty() {
            info!(revision = taken.revision, "facts sent");
        }
        Ok(taken.revision)
    }

    /// Whoever cannot read the cluster does not know which it is: the server will notice the silence.
    fn trouble(&mut self, _why: &str) {}
}
