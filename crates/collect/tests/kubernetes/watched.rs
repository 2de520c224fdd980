//! A cluster that is watched, over connections that break.

use std::collections::BTreeSet;
use std::sync::mpsc;
use std::time::Duration;

use seareeve_collect::kubernetes::{Cluster, Pace, Stop, Told};
use seareeve_kubernetes::{Gap, Resource};
use seareeve_model::CollectionStatus;
use serde_json::{Value, json};

use crate::fake::{Fake, Fault};
use crate::read::{empty, facts, limits};

const SERVICES: &str = "/api/v1/services";
const WATCH: &str = "watch:/api/v1/services";

/// How long something may take that happens at once. No test waits for it to pass.
const LONG: Duration = Duration::from_secs(60);

/// What was told, in a form that outlives the state.
#[derive(Debug)]
enum Heard {
    Ready(BTreeSet<String>),
    /// Ids of what changed, and of what is there.
    Changed(BTreeSet<String>, BTreeSet<String>),
    Gap(Resource, Option<Gap>),
}

fn service(name: &str, port: u16) -> Value {
    json!({"metadata": {"name": name, "namespace": "shop"}, "spec": {"ports": [{"port": port}]}})
}

fn services(state: &seareeve_kubernetes::State) -> BTreeSet<String> {
    let all = facts(state).into_iter();
    all.filter_map(|(id, data)| {
        let id = id
            .strip_prefix("kubernetes.service Service/shop/")?
            .to_owned();
        Some(format!("{id}:{}", data["spec"]["ports"][0]["port"]))
    })
    .collect()
}

/// Watches `fake` while `act` gives it things to watch and hears what is told.
fn watched(fake: &Fake, act: impl FnOnce(&mpsc::Receiver<Heard>)) {
    let stop = Stop::default();
    let pace = Pace {
        first: Duration::from_millis(1),
        most: Duration::from_millis(5),
        again: Duration::from_millis(5),
    };
    let cluster = Cluster::new(&fake.connection(), limits()).unwrap();
    let (send, receive) = mpsc::channel();
    std::thread::scope(|threads| {
        let running = threads.spawn(|| {
            cluster.watch(&stop, pace, &mut |told| {
                let heard = match told {
                    Told::Quiet(_) => return,
                    Told::Ready(state) => Heard::Ready(services(state)),
                    Told::Changed(state, touched) => Heard::Changed(
                        touched
                            .iter()
                            .map(seareeve_kubernetes::FactKey::id)
                            .collect(),
                        services(state),
                    ),
                    Told::Gap(_, resource, gap) => Heard::Gap(resource, gap),
                };
                // The test may have heard enough.
                drop(send.send(heard));
            })
        });
        act(&receive);
        stop.stop();
        running.join().unwrap().unwrap();
    });
}

/// Waits until the services are these.
fn until(receive: &mpsc::Receiver<Heard>, wanted: &[&str]) -> BTreeSet<String> {
    let wanted: BTreeSet<String> = wanted.iter().map(|text| (*text).to_owned()).collect();
    let mut touched = BTreeSet::new();
    loop {
        match receive.recv_timeout(LONG).expect("it is told of") {
            Heard::Changed(ids, there) => {
                touched.extend(ids);
                if there == wanted {
                    return touched;
                }
            }
            Heard::Ready(there) if there == wanted => return touched,
            Heard::Ready(_) | Heard::Gap(..) => {}
        }
    }
}

#[test]
fn changes_are_told_over_everything_that_goes_wrong() {
    let fake = empty();
    fake.put(SERVICES, service("a", 1));
    watched(&fake, |told| {
        until(told, &["a:1"]);
        fake.put(SERVICES, service("b", 1));
        let touched = until(told, &["a:1", "b:1"]);
        assert_eq!(touched, BTreeSet::from(["Service/shop/b".to_owned()]));
        fake.put(SERVICES, service("a", 2));
        until(told, &["a:2", "b:1"]);
        fake.remove(SERVICES, "shop/b", true);
        until(told, &["a:2"]);
        // The connection ends within an event: it comes again.
        fake.fault(WATCH, Fault::Cut);
        fake.put(SERVICES, service("a", 3));
        until(told, &["a:3"]);
        // What comes is no event.
        for bad in [
            "nonsense\n",
            "{\"type\": 7}\n",
            "{\"type\": \"ADDED\", \"object\": []}\n",
            "{\"type\": \"NEW\", \"object\": {}}\n",
            "{\"type\": \"ERROR\", \"object\": {\"code\": 500, \"message\": \"no\"}}\n",
            "{\"type\": \"MODIFIED\", \"object\": null}\n",
        ] {
            fake.fault(WATCH, Fault::Bytes(bad));
        }
        fake.put(SERVICES, service("a", 4));
        until(told, &["a:4"]);
        // The version is forgotten, and something went meanwhile.
        fake.put(SERVICES, service("c", 1));
        until(told, &["a:4", "c:1"]);
        fake.remove(SERVICES, "shop/a", false);
        until(told, &["c:1"]);
        // A bookmark moves on what would have expired.
        fake.fault(WATCH, Fault::Bookmark);
        fake.fault(WATCH, Fault::Status(410));
        fake.fault(WATCH, Fault::Expired);
        fake.fault(WATCH, Fault::Status(500));
        fake.put(SERVICES, service("c", 2));
        until(told, &["c:2"]);
    });
    let requests = fake.requests();
    let watches = requests
        .iter()
        .filter(|(_, target, ..)| target.starts_with("/api/v1/services?watch=1"));
    assert!(watches.clone().count() > 8);
    for (_, target, ..) in watches {
        assert!(target.contains("allowWatchBookmarks=true&timeoutSeconds=300&resourceVersion="));
    }
}

#[test]
fn a_resource_that_may_no_longer_be_watched_is_a_gap_until_it_may() {
    let fake = empty();
    fake.put(SERVICES, service("a", 1));
    watched(&fake, |told| {
        until(told, &["a:1"]);
        fake.fault(WATCH, Fault::Status(403));
        let gap = loop {
            let heard = told.recv_timeout(LONG).expect("it is told of");
            if let Heard::Gap(Resource::Service, Some(gap)) = heard {
                break gap;
            }
        };
        assert_eq!(gap.status, CollectionStatus::Denied);
        assert!(
            gap.detail.contains("`watch` on `services`"),
            "{}",
            gap.detail
        );
        loop {
            let heard = told.recv_timeout(LONG).expect("it is told of");
            if let Heard::Gap(Resource::Service, None) = heard {
                break;
            }
        }
        fake.put(SERVICES, service("a", 2));
        until(told, &["a:2"]);
    });
}

#[test]
fn a_cluster_with_gaps_becomes_ready() {
    let fake = empty();
    fake.refuse("/api/v1/nodes", 403);
    fake.put(SERVICES, service("a", 1));
    watched(&fake, |told| {
        until(told, &["a:1"]);
    });
}
