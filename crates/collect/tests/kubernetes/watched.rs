//! A cluster that is watched, over connections that break.

use std::collections::BTreeSet;
use std::sync::mpsc;
use std::time::Duration;

use seareeve_collect::kubernetes::{
    Cluster, Connection, Credentials, Limits, Observation, Pace, Refusal, Stop, Taker, Told,
    Wanted, observe,
};
use seareeve_kubernetes::{Gap, Resource};
use seareeve_model::{CollectionStatus, FactDelta, FactIndex};
use serde_json::{Value, json};

use crate::fake::{Fake, Fault};
use crate::read::{empty, facts, limits};

const SERVICES: &str = "/api/v1/services";
const WATCH: &str = "watch:/api/v1/services";
/// How requests for them begin.
const LISTED: &str = "/api/v1/services?limit=";
const WATCHED: &str = "/api/v1/services?watch=1";

/// How long something may take that happens at once. No test waits for it to pass.
const LONG: Duration = Duration::from_secs(60);

/// Nobody is waited for.
const PACE: Pace = Pace {
    first: Duration::from_millis(1),
    most: Duration::from_millis(5),
    again: Duration::from_millis(5),
};

/// What was told, in a form that outlives the state.
#[derive(Debug)]
enum Heard {
    Ready(BTreeSet<String>),
    /// Ids of what changed, and of what is there.
    Changed(BTreeSet<String>, BTreeSet<String>),
    Gap(Resource, Option<Gap>),
    Away(String),
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

/// How often it was asked for what begins like that.
fn asked(fake: &Fake, target: &str) -> usize {
    let requests = fake.requests().into_iter();
    requests
        .filter(|(_, asked, ..)| asked.starts_with(target))
        .count()
}

/// Waits until it was asked so often.
fn until_asked(fake: &Fake, target: &str, times: usize) {
    let end = std::time::Instant::now() + LONG;
    while asked(fake, target) < times {
        assert!(std::time::Instant::now() < end, "it is asked for {target}");
        std::thread::yield_now();
    }
}

/// Watches `fake` while `act` gives it things to watch and hears what is told.
fn watched(fake: &Fake, act: impl FnOnce(&mpsc::Receiver<Heard>)) {
    watched_within(fake, limits(), act);
}

fn watched_within(fake: &Fake, limits: Limits, act: impl FnOnce(&mpsc::Receiver<Heard>)) {
    watched_over(&fake.connection(), limits, act);
}

fn watched_over(connection: &Connection, limits: Limits, act: impl FnOnce(&mpsc::Receiver<Heard>)) {
    let stop = Stop::default();
    let cluster = Cluster::new(connection, limits).unwrap();
    let (send, receive) = mpsc::channel();
    std::thread::scope(|threads| {
        let running = threads.spawn(|| {
            cluster.watch(&stop, PACE, &mut |told| {
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
                    Told::Away(why) => Heard::Away(why.to_owned()),
                };
                // The test may have heard enough.
                drop(send.send(heard));
            })
        });
        let ended = Ended(&stop);
        act(&receive);
        drop(ended);
        running.join().unwrap().unwrap();
    });
}

/// Ends what goes on, also when the test has failed.
struct Ended<'s>(&'s Stop);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
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
            Heard::Ready(_) | Heard::Gap(..) | Heard::Away(_) => {}
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
        .filter(|(_, target, ..)| target.starts_with(WATCHED));
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
        for _ in 0..5 {
            fake.fault(WATCH, Fault::Status(403));
        }
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

#[test]
fn what_an_api_server_denies_while_it_starts_is_no_gap() {
    let fake = empty();
    fake.put(SERVICES, service("a", 1));
    watched(&fake, |told| {
        until(told, &["a:1"]);
        // It takes connections before it has read the roles that it decides by, and before it has read who we are.
        fake.fault(WATCH, Fault::Status(403));
        fake.fault(WATCH, Fault::Status(401));
        fake.fault(WATCH, Fault::Status(403));
        fake.put(SERVICES, service("a", 2));
        loop {
            match told.recv_timeout(LONG).expect("it is told of") {
                Heard::Changed(_, there) if there.contains("a:2") => break,
                Heard::Gap(Resource::Service, gap) => panic!("a gap: {gap:?}"),
                _ => {}
            }
        }
    });
}

/// Silence is noticed soon, and nothing else helps against it.
fn attentive() -> Limits {
    Limits {
        quiet: Duration::from_millis(50),
        sign: Duration::from_millis(200),
        silence: LONG * 10,
        ..limits()
    }
}

/// Waits until the cluster is away, and gives why.
fn until_away(receive: &mpsc::Receiver<Heard>) -> String {
    loop {
        if let Heard::Away(why) = receive.recv_timeout(LONG).expect("it is told of") {
            return why;
        }
    }
}

#[test]
fn a_cluster_that_falls_silent_is_away_and_is_watched_on_from_where_it_was() {
    let fake = empty();
    fake.put(SERVICES, service("a", 1));
    watched_within(&fake, attentive(), |told| {
        until(told, &["a:1"]);
        fake.lose(true);
        fake.put(SERVICES, service("b", 1));
        let why = loop {
            match told.recv_timeout(LONG).expect("it is told of") {
                Heard::Away(why) => break why,
                other => assert!(!matches!(other, Heard::Gap(..)), "{other:?}"),
            }
        };
        assert!(
            why.ends_with("did not answer /version in time"),
            "it is said what happened: {why}"
        );
        // What was asked for meanwhile never gets an answer.
        fake.lose(false);
        loop {
            match told.recv_timeout(LONG).expect("it is told of") {
                Heard::Changed(_, there) if there.contains("b:1") => break,
                other => assert!(!matches!(other, Heard::Gap(..)), "{other:?}"),
            }
        }
    });
    let lists = asked(&fake, LISTED);
    assert_eq!(lists, 1, "nothing is listed anew");
}

#[test]
fn whoever_has_nothing_to_show_hears_nothing_of_a_cluster() {
    let fake = empty();
    fake.put(SERVICES, service("a", 1));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "t0ken").unwrap();
    let connection = Connection {
        credentials: Credentials::TokenFile(path.clone().try_into().unwrap()),
        ..fake.connection()
    };
    watched_over(&connection, attentive(), |told| {
        until(told, &["a:1"]);
        std::fs::remove_file(&path).unwrap();
        let why = until_away(told);
        assert!(why.contains("failed to read the token in"), "{why}");
        fake.put(SERVICES, service("b", 1));
        std::fs::write(&path, "t0ken").unwrap();
        until(told, &["a:1", "b:1"]);
    });
}

#[test]
fn a_proxy_that_lets_nobody_through_is_no_sign_of_the_cluster() {
    let fake = empty();
    fake.put(SERVICES, service("a", 1));
    watched_over(&fake.proxied(), attentive(), |told| {
        until(told, &["a:1"]);
        fake.close(true);
        let why = until_away(told);
        assert!(why.contains("CONNECT proxy failed"), "{why}");
        fake.put(SERVICES, service("b", 1));
        fake.close(false);
        until(told, &["a:1", "b:1"]);
    });
}

#[test]
fn one_resource_that_cannot_be_had_is_a_gap_even_if_the_server_has_no_time_for_questions() {
    let fake = empty();
    fake.put(SERVICES, service("a", 1));
    watched(&fake, |told| {
        until(told, &["a:1"]);
        fake.hang_up("/version", true);
        fake.hang_up(SERVICES, true);
        // All has to be listed anew.
        let before = asked(&fake, LISTED);
        fake.fault(WATCH, Fault::Expired);
        until_asked(&fake, LISTED, before + 2);
        // Another resource is heard of.
        fake.put("/api/v1/nodes", json!({"metadata": {"name": "n1"}}));
        let gap = loop {
            match told.recv_timeout(LONG).expect("it is told of") {
                Heard::Gap(Resource::Service, Some(gap)) => break gap,
                other => assert!(!matches!(other, Heard::Away(_)), "{other:?}"),
            }
        };
        assert_eq!(gap.status, CollectionStatus::Error);
        fake.put(SERVICES, service("b", 1));
        fake.hang_up(SERVICES, false);
        until(told, &["a:1", "b:1"]);
    });
}

#[test]
fn a_quiet_cluster_is_asked_for_a_sign_of_life_and_its_watches_go_on() {
    let fake = empty();
    fake.put(SERVICES, service("a", 1));
    let limits = Limits {
        quiet: Duration::from_millis(1),
        sign: LONG,
        ..limits()
    };
    watched_within(&fake, limits, |told| {
        until(told, &["a:1"]);
        // Even one that answers that it will not.
        fake.fault("/version", Fault::Status(403));
        let before = asked(&fake, "/version");
        until_asked(&fake, "/version", before + 5);
        assert!(told.try_recv().is_err(), "nothing is told of it");
        fake.put(SERVICES, service("a", 2));
        until(told, &["a:2"]);
    });
    let watches = asked(&fake, WATCHED);
    assert_eq!(watches, 1, "no watch was begun anew");
}

/// Takes everything, and says what came.
struct Everything(mpsc::Sender<String>);

impl Taker for Everything {
    fn index(&mut self, index: &FactIndex) -> Result<Wanted, Refusal> {
        let facts = index.hashes.iter();
        Ok(Wanted {
            revision: "1".to_owned(),
            facts: facts
                .map(|(kind, of_kind)| (kind.clone(), of_kind.keys().cloned().collect()))
                .collect(),
        })
    }

    fn delta(&mut self, delta: &FactDelta) -> Result<String, Refusal> {
        if let Some(why) = &delta.trouble {
            drop(self.0.send(format!("away: {why}")));
        } else if delta.is_empty() {
            drop(self.0.send("as it was".to_owned()));
        }
        for fact in delta.put.values().flatten() {
            drop(self.0.send(fact.id.clone()));
        }
        Ok("2".to_owned())
    }

    fn trouble(&mut self, why: &str) {
        drop(self.0.send(format!("trouble: {why}")));
    }
}

/// Waits for what begins like that.
fn until_told(receive: &mpsc::Receiver<String>, wanted: &str) -> String {
    let next = || receive.recv_timeout(LONG).expect("it is told of");
    let mut all = std::iter::repeat_with(next);
    all.find(|came| came.starts_with(wanted))
        .expect("there is no end of them")
}

#[test]
fn credentials_that_end_are_read_anew() {
    let fake = empty();
    fake.put(SERVICES, service("a", 1));
    let stop = Stop::default();
    let (send, receive) = mpsc::channel();
    let observation = Observation {
        pace: PACE,
        ..Observation::new("prod")
    };
    let until = |wanted: &str| until_told(&receive, wanted);
    std::thread::scope(|threads| {
        let observing = threads.spawn(|| {
            let first = Cluster::new(&fake.connection(), limits()).unwrap();
            let again = &mut || {
                let connection = Connection {
                    credentials: Credentials::Token("fresh".to_owned()),
                    ..fake.connection()
                };
                Cluster::new(&connection, limits()).map_err(|error| error.to_string())
            };
            observe(first, again, &observation, &stop, &mut Everything(send))
        });
        let ended = Ended(&stop);
        until("Service/shop/a");
        fake.know_only("Bearer fresh");
        // Watches that go on are not asked who they are for; the next one is.
        fake.fault(WATCH, Fault::Bookmark);
        let trouble = until("trouble: ");
        assert!(trouble.contains("status 401"), "{trouble}");
        until("Service/shop/a");
        fake.put(SERVICES, service("b", 1));
        until("Service/shop/b");
        drop(ended);
        observing.join().unwrap().unwrap();
    });
}

#[test]
fn who_takes_facts_is_told_that_they_are_of_the_past_and_that_they_no_longer_are() {
    let fake = empty();
    fake.put(SERVICES, service("a", 1));
    let stop = Stop::default();
    let (send, receive) = mpsc::channel();
    let observation = Observation {
        pace: PACE,
        ..Observation::new("prod")
    };
    let next = || receive.recv_timeout(LONG).expect("it is told of");
    std::thread::scope(|threads| {
        let observing = threads.spawn(|| {
            let cluster = Cluster::new(&fake.connection(), attentive()).unwrap();
            let again = &mut || Err("it is not asked for again".to_owned());
            observe(cluster, again, &observation, &stop, &mut Everything(send))
        });
        let ended = Ended(&stop);
        let is_away = |came: &String| came.starts_with("away: ");
        until_told(&receive, "Service/shop/a");
        until_asked(&fake, WATCHED, 1);
        let before = asked(&fake, WATCHED);
        fake.lose(true);
        until_told(&receive, "away: ");
        // It is asked to be watched again, on a connection that leads nowhere.
        until_asked(&fake, WATCHED, before + 1);
        fake.put(SERVICES, service("b", 1));
        fake.lose(false);
        let came = std::iter::repeat_with(next).find(|came| !is_away(came));
        assert_eq!(
            came.as_deref(),
            Some("Service/shop/b"),
            "all is watched again before it is said to be as it was"
        );
        fake.lose(true);
        until_told(&receive, "away: ");
        fake.lose(false);
        until_told(&receive, "as it was");
        drop(ended);
        observing.join().unwrap().unwrap();
    });
}

#[test]
fn who_looks_once_does_not_wait_for_a_cluster_that_falls_silent() {
    let fake = empty();
    fake.fault(SERVICES, Fault::Mute);
    let stop = Stop::default();
    let (send, _receive) = mpsc::channel();
    let (tell, told) = mpsc::channel();
    let observation = Observation {
        once: true,
        ..Observation::new("prod")
    };
    std::thread::scope(|threads| {
        threads.spawn(|| {
            let cluster = Cluster::new(&fake.connection(), attentive()).unwrap();
            let again = &mut || Err("it is not asked for again".to_owned());
            let observed = observe(cluster, again, &observation, &stop, &mut Everything(send));
            tell.send(observed).unwrap();
        });
        let _ended = Ended(&stop);
        until_asked(&fake, LISTED, 1);
        fake.lose(true);
        let observed = told.recv_timeout(LONG).expect("it ends");
        let why = observed.unwrap_err().to_string();
        assert!(
            why.starts_with("nothing is heard of the cluster any more: "),
            "{why}"
        );
    });
}

#[test]
fn a_watch_ends_when_who_is_told_fails() {
    let fake = empty();
    let cluster = Cluster::new(&fake.connection(), limits()).unwrap();
    let ended = std::thread::scope(|threads| {
        let watching = threads.spawn(|| {
            cluster.watch(&Stop::default(), PACE, &mut |_| {
                std::panic::resume_unwind(Box::new("of who is told"));
            })
        });
        watching.join()
    });
    assert!(ended.is_err());
}
