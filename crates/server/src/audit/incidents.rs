//! Which alerts belong together. Pure: the store finds those that may, this says which do, and what that is called.
//!
//! Two alerts belong together when they name the same actor or thing, within a time, and the later one is a step that
//! may follow the earlier one: a second tactic of ATT&CK, or the same again when at least one weighs much. What half
//! the cluster shares (a namespace, a system account, the address of a node or a gateway) joins nothing. Alerts stay
//! visible alone.

use std::collections::BTreeSet;
use std::net::IpAddr;

use jiff::SignedDuration;
use seareeve_audit::address_class;
use seareeve_model::AlertSeverity;
use seareeve_store::alerts::Entity;
use seareeve_store::incidents::{Near, NewIncident};
use seareeve_store::{AlertId, IncidentId};

/// How far apart two alerts may be.
pub(super) const WITHIN: SignedDuration = SignedDuration::from_hours(1);
/// The same after something that stays: whoever left a back door comes back later.
pub(super) const AFTER_PERSISTENCE: SignedDuration = SignedDuration::from_hours(24);
/// Alerts near one that are looked at.
pub(super) const MOST_NEAR: usize = 200;

/// ATT&CK's tactics in the order in which attacks go on.
const KILL_CHAIN: [&str; 14] = [
    "reconnaissance",
    "resource-development",
    "initial-access",
    "execution",
    "persistence",
    "privilege-escalation",
    "defense-evasion",
    "credential-access",
    "discovery",
    "lateral-movement",
    "collection",
    "command-and-control",
    "exfiltration",
    "impact",
];

/// Kinds of entities that join alerts, and how an incident that is about one is called.
const JOINING: [(&str, &str); 7] = [
    ("account", "Suspicious activity of one account"),
    ("user", "Suspicious activity of one account"),
    ("ip", "Suspicious activity from one address"),
    ("pod", "Attack on one pod"),
    ("workload", "Attack on one workload"),
    ("host", "Attack on one host"),
    ("node", "Attack on one node"),
];

/// What is to be done with an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Joining {
    /// The incident that it joins; a new one, if nothing.
    pub(super) known: Option<IncidentId>,
    /// What the incident is now.
    pub(super) incident: NewIncident,
    /// The alerts that come into it.
    pub(super) alerts: Vec<AlertId>,
}

/// What becomes of `alert`, given alerts that name something that it names too, and which of its addresses many speak
/// from. Nothing, if it stays alone.
pub(super) fn join(
    alert: &Near,
    near: &[Near],
    shared_by_many: &BTreeSet<String>,
) -> Option<Joining> {
    if alert.incident.is_some() {
        return None;
    }
    let mates: Vec<(&Near, Vec<&Entity>)> = near
        .iter()
        .filter(|other| is_near(alert, other))
        .map(|other| (other, shared(alert, other, shared_by_many)))
        .filter(|(other, shared)| !shared.is_empty() && goes_on(alert, other))
        .collect();
    let oldest = mates
        .iter()
        .min_by_key(|(other, _)| (other.incident.is_none(), other.incident, other.id))?;
    let known = oldest.0.incident;
    let members: Vec<&Near> = mates
        .iter()
        .map(|(other, _)| *other)
        .filter(|other| other.incident.is_none() || other.incident == known)
        .chain([alert])
        .collect();
    let entities: BTreeSet<&Entity> = mates
        .iter()
        .flat_map(|(_, shared)| shared.iter().copied())
        .collect();
    let severity = members.iter().map(|member| member.severity).max();
    Some(Joining {
        known,
        incident: NewIncident {
            // Of the alert that made it: raising the same again makes the same.
            uid: format!("i{}", alert.uid),
            title: title(&members, &entities),
            severity: severity.unwrap_or(alert.severity),
            shared: entities.into_iter().cloned().collect(),
        },
        alerts: members
            .iter()
            .filter(|member| member.incident.is_none())
            .map(|member| member.id)
            .collect(),
    })
}

/// Tactics in the order in which attacks go on, each once; those that nobody knows at the end.
pub(crate) fn in_order<'a>(tactics: impl Iterator<Item = &'a str>) -> Vec<String> {
    let all: BTreeSet<(usize, &str)> = tactics.map(|tactic| (place(tactic), tactic)).collect();
    all.into_iter()
        .map(|(_, tactic)| tactic.to_owned())
        .collect()
}

fn place(tactic: &str) -> usize {
    KILL_CHAIN
        .iter()
        .position(|known| *known == tactic)
        .unwrap_or(KILL_CHAIN.len())
}

fn is_near(alert: &Near, other: &Near) -> bool {
    let (earlier, later) = if other.last_seen <= alert.last_seen {
        (other, alert)
    } else {
        (alert, other)
    };
    let stays = earlier.tactics.iter().any(|tactic| tactic == "persistence");
    let within = if stays { AFTER_PERSISTENCE } else { WITHIN };
    later.first_seen.duration_since(earlier.last_seen) <= within
}

/// What both name, of that which joins.
fn shared<'a>(alert: &'a Near, other: &Near, shared_by_many: &BTreeSet<String>) -> Vec<&'a Entity> {
    let joins = |entity: &&Entity| {
        JOINING.iter().any(|(kind, _)| *kind == entity.kind)
            && !is_common(entity)
            && !(entity.kind == "ip" && shared_by_many.contains(&entity.name))
            && (alert.cluster == other.cluster || means_the_same_everywhere(entity))
    };
    alert
        .entities
        .iter()
        .filter(joins)
        .filter(|entity| other.entities.contains(entity))
        .collect()
}

/// Names mean nothing across clusters, but for people and public addresses.
fn means_the_same_everywhere(entity: &Entity) -> bool {
    match entity.kind.as_str() {
        "account" | "user" => !entity.name.starts_with("system:serviceaccount:"),
        "ip" => class(&entity.name) == Some("public"),
        _ => false,
    }
}

fn class(address: &str) -> Option<&'static str> {
    let address: IpAddr = address.parse().ok()?;
    Some(address_class(address))
}

/// What everybody uses says nothing of who it was.
fn is_common(entity: &Entity) -> bool {
    let name = entity.name.as_str();
    match entity.kind.as_str() {
        "account" | "user" => {
            let is_component =
                name.starts_with("system:") && !name.starts_with("system:serviceaccount:");
            let is_controller = name.starts_with("system:serviceaccount:kube-system:");
            name.is_empty() || is_component || is_controller
        }
        "ip" => name.is_empty() || class(name) == Some("loopback"),
        _ => name.is_empty(),
    }
}

/// Whether one is a further step of the other.
fn goes_on(alert: &Near, other: &Near) -> bool {
    let another_tactic = alert
        .tactics
        .iter()
        .any(|tactic| !other.tactics.contains(tactic))
        || other
            .tactics
            .iter()
            .any(|tactic| !alert.tactics.contains(tactic));
    let weighs = alert.severity == AlertSeverity::High || other.severity == AlertSeverity::High;
    let is_small = |near: &Near| near.severity == AlertSeverity::Informational;
    // Two things that are told for information make no incident.
    !(is_small(alert) && is_small(other))
        && (another_tactic || (weighs && alert.rule != other.rule))
}

fn title(members: &[&Near], shared: &BTreeSet<&Entity>) -> String {
    let clusters: BTreeSet<&str> = members
        .iter()
        .map(|member| member.cluster.as_str())
        .collect();
    if clusters.len() > 1 {
        return "Attack on several clusters".to_owned();
    }
    let about = JOINING
        .iter()
        .find(|(kind, _)| shared.iter().any(|entity| entity.kind == *kind));
    let tactics = members.iter().flat_map(|member| &member.tactics);
    let tactics = in_order(tactics.map(String::as_str));
    let what = about.map_or("Attack", |(_, what)| what);
    match (tactics.first(), tactics.last()) {
        (Some(first), Some(last)) if first != last => {
            format!("{what}: {} to {}", words(first), words(last))
        }
        (Some(only), _) => format!("{what}: {}", words(only)),
        _ => what.to_owned(),
    }
}

fn words(tactic: &str) -> String {
    tactic.replace('-', " ")
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn alert(
        id: i64,
        minute: i64,
        rule: &str,
        severity: AlertSeverity,
        tactic: &str,
        entities: &[(&str, &str)],
    ) -> Near {
        let at = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute);
        Near {
            id: AlertId(id),
            uid: format!("{id:032}"),
            cluster: "prod".to_owned(),
            rule: rule.to_owned(),
            title: rule.to_owned(),
            severity,
            tactics: vec![tactic.to_owned()],
            first_seen: at,
            last_seen: at,
            incident: None,
            entities: entities
                .iter()
                .map(|(kind, name)| Entity {
                    kind: (*kind).to_owned(),
                    name: (*name).to_owned(),
                })
                .collect(),
        }
    }

    const MALLORY: (&str, &str) = ("account", "mallory");

    fn join(alert: &Near, near: &[Near]) -> Option<Joining> {
        super::join(alert, near, &BTreeSet::new())
    }

    #[test]
    fn steps_of_one_account_make_an_incident_and_later_ones_join_it() {
        use AlertSeverity::{High, Low, Medium};
        let pod = alert(1, 0, "privileged", Low, "privilege-escalation", &[MALLORY]);
        let exec = alert(2, 5, "exec", Medium, "execution", &[MALLORY]);
        let joining = join(&exec, std::slice::from_ref(&pod)).unwrap();
        assert_eq!((joining.known, joining.incident.severity), (None, Medium));
        assert_eq!(joining.alerts, [AlertId(1), AlertId(2)]);
        assert_eq!(
            joining.incident.title,
            "Suspicious activity of one account: execution to privilege escalation"
        );

        let incident = Some(IncidentId(7));
        let (pod, exec) = (Near { incident, ..pod }, Near { incident, ..exec });
        let secrets = alert(3, 40, "secrets", High, "credential-access", &[MALLORY]);
        let joining = join(&secrets, &[pod.clone(), exec]).unwrap();
        assert_eq!((joining.known, joining.incident.severity), (incident, High));
        assert_eq!(joining.alerts, [AlertId(3)]);

        let late = alert(4, 61, "secrets", High, "credential-access", &[MALLORY]);
        assert_eq!(join(&late, std::slice::from_ref(&pod)), None);
        let stays = alert(1, 0, "cron", Low, "persistence", &[MALLORY]);
        assert!(join(&late, &[stays]).is_some(), "a back door is used later");
    }

    #[test]
    fn what_everybody_shares_joins_nothing() {
        use AlertSeverity::{High, Informational};
        for common in [
            ("namespace", "shop"),
            ("account", "system:kube-controller-manager"),
            (
                "account",
                "system:serviceaccount:kube-system:job-controller",
            ),
            ("ip", "127.0.0.1"),
            ("ip", "::1"),
        ] {
            let one = alert(1, 0, "a", High, "execution", &[common]);
            let two = alert(2, 1, "b", High, "impact", &[common]);
            assert_eq!(join(&two, &[one]), None, "{common:?}");
        }
        let one = alert(1, 0, "a", Informational, "execution", &[MALLORY]);
        let two = alert(2, 1, "b", Informational, "impact", &[MALLORY]);
        assert_eq!(join(&two, &[one]), None);
        let again = alert(1, 0, "a", High, "execution", &[MALLORY]);
        let same = alert(2, 1, "a", High, "execution", &[MALLORY]);
        assert_eq!(join(&same, &[again]), None);
    }

    #[test]
    fn an_address_joins_unless_many_speak_from_it() {
        use AlertSeverity::High;
        let node = ("ip", "10.0.0.5");
        let one = alert(1, 0, "a", High, "execution", &[node, MALLORY]);
        let two = alert(2, 1, "b", High, "impact", &[node, ("account", "trent")]);
        let near = std::slice::from_ref(&one);
        assert!(join(&two, near).is_some());
        let many = BTreeSet::from([node.1.to_owned()]);
        assert_eq!(super::join(&two, near, &many), None);
        let hers = alert(3, 1, "b", High, "impact", &[node, MALLORY]);
        let joining = super::join(&hers, near, &many).unwrap();
        let [shared] = joining.incident.shared.as_slice() else {
            panic!("{:?}", joining.incident.shared);
        };
        assert_eq!((shared.kind.as_str(), shared.name.as_str()), MALLORY);
    }

    #[test]
    fn names_of_things_mean_nothing_across_clusters_but_people_do() {
        use AlertSeverity::High;
        let pod = ("pod", "shop/web");
        let one = alert(1, 0, "a", High, "execution", &[pod]);
        let mut two = alert(2, 1, "b", High, "impact", &[pod, MALLORY]);
        assert!(join(&two, std::slice::from_ref(&one)).is_some());
        two.cluster = "test".to_owned();
        assert_eq!(join(&two, std::slice::from_ref(&one)), None);
        let three = alert(3, 1, "c", High, "execution", &[MALLORY]);
        let joining = join(&two, &[three]).unwrap();
        assert_eq!(joining.incident.title, "Attack on several clusters");
        for (shared, joins) in [
            (("ip", "203.0.113.7"), true),
            (("ip", "10.0.0.5"), false),
            (("ip", "fd00::5"), false),
            (("account", "system:serviceaccount:default:default"), false),
        ] {
            let here = alert(4, 0, "a", High, "execution", &[shared]);
            let mut there = alert(5, 1, "b", High, "impact", &[shared]);
            assert!(join(&there, std::slice::from_ref(&here)).is_some());
            there.cluster = "test".to_owned();
            let joined = join(&there, std::slice::from_ref(&here));
            assert_eq!(joined.is_some(), joins, "{shared:?}");
        }
    }
}
