//! A client of the fake.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use seareeve_collect::azure::{AskError, Azure, Cloud, Credentials, Estate, Label, Limits, Secret};
use seareeve_lab::azure::{Fake, SECRET, documents};
use seareeve_model::{Collection, FactKind, Snapshot};
use serde_json::Value;

pub(crate) const TENANT: &str = "10000000-0000-0000-0000-000000000001";
pub(crate) const CLIENT: &str = "10000000-0000-0000-0000-000000000002";

pub(crate) fn fake() -> Fake {
    Fake::start(documents::both())
}

pub(crate) fn cloud(fake: &Fake) -> Cloud {
    Cloud::custom(&fake.login(), &fake.manager(), Some(&fake.metadata())).unwrap()
}

pub(crate) fn principal() -> Credentials {
    Credentials::Secret {
        tenant: TENANT.to_owned(),
        client: CLIENT.to_owned(),
        secret: Secret::new(SECRET),
    }
}

pub(crate) fn limits() -> Limits {
    Limits {
        silence: Duration::from_secs(20),
        answer: Duration::from_secs(20),
        ..Limits::default()
    }
}

/// Pauses that were made, without making them.
pub(crate) type Pauses = Arc<Mutex<Vec<Duration>>>;

pub(crate) fn client(fake: &Fake, credentials: Credentials, limits: Limits) -> (Azure, Pauses) {
    let pauses = Pauses::default();
    let noted = Arc::clone(&pauses);
    let pause = Box::new(move |time: Duration| {
        if !time.is_zero() {
            noted.lock().unwrap().push(time);
        }
        true
    });
    let azure = Azure::new(&cloud(fake), credentials, limits, None, pause).unwrap();
    (azure, pauses)
}

pub(crate) fn read(fake: &Fake) -> Estate {
    try_read(fake, &[]).unwrap()
}

pub(crate) fn try_read(fake: &Fake, wanted: &[&str]) -> Result<Estate, AskError> {
    let wanted: Vec<String> = wanted.iter().map(|&one| one.to_owned()).collect();
    client(fake, principal(), limits()).0.read(&wanted)
}

pub(crate) fn label() -> Label {
    Label {
        collected_at: Timestamp::UNIX_EPOCH,
        collector: "test".to_owned(),
    }
}

pub(crate) fn snapshot(snapshots: &[Snapshot], kind: &str, name: &str) -> Snapshot {
    let mut found = snapshots.iter();
    let is_it = |one: &&Snapshot| one.asset_kind == kind && one.asset_name == name;
    found.find(is_it).unwrap().clone()
}

pub(crate) fn facts<'s>(snapshot: &'s Snapshot, kind: &str) -> &'s Collection {
    &snapshot.facts[&FactKind::new(kind).unwrap()]
}

pub(crate) fn data<'s>(snapshot: &'s Snapshot, kind: &str) -> &'s Value {
    &facts(snapshot, kind).items[0].data
}
