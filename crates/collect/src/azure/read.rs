//! Reading what the credentials may see: subscriptions, and in each the clusters, registries, plans, policies and vaults.

use std::cell::RefCell;
use std::collections::BTreeMap;

use camino::Utf8Path;
use seareeve_model::CollectionStatus;
use serde_json::{Value, json};

use super::client::{AskError, Client, Limits, Listed, Pause};
use super::cloud::Cloud;
use super::credentials::Credentials;
use super::estate::{Cluster, Estate, Gap, Part, Registry, Subscription};
use super::id::ResourceId;
use super::requests::{
    ASSIGNMENTS, CLUSTERS, CONNECTED, DIAGNOSTICS, EXTENSIONS, PLANS, POLICIES, PRIVATE_ENDPOINTS,
    REGISTRIES, ROLES, Request, SUBSCRIPTIONS, VAULTS,
};
use crate::feeds::NetworkError;

/// After so many requests in a row that nobody answered, no other is made.
const MOST_SILENT: u32 = 3;

/// A subscription that the credentials may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its id.
    pub id: String,
    /// Its name, as Azure has it.
    pub name: String,
    /// `Enabled`, `Disabled`, `Warned`, …
    pub state: String,
}

/// Azure, as these credentials see it.
pub struct Azure {
    client: Client,
}

impl Azure {
    /// A client for a cloud. Nothing is asked yet. Besides the usual authorities those of the PEM file `authorities` are
    /// trusted.
    ///
    /// # Errors
    /// When that file cannot be used.
    pub fn new(
        cloud: &Cloud,
        credentials: Credentials,
        limits: Limits,
        authorities: Option<&Utf8Path>,
        pause: Pause,
    ) -> Result<Self, NetworkError> {
        let client = Client::new(cloud, credentials, limits, authorities, pause)?;
        Ok(Self { client })
    }

    /// Tries the credentials: logs in, and says which of the subscriptions with these ids or names, or with none of all,
    /// they may see, with why not all of them. Nothing in them is read.
    ///
    /// # Errors
    /// As [`Azure::read`].
    pub fn test(&mut self, wanted: &[String]) -> Result<(Vec<Seen>, Option<Gap>), AskError> {
        let (chosen, gap) = self.chosen(wanted)?;
        let seen = chosen.into_values().map(|(id, document)| Seen {
            id: id.name().to_owned(),
            name: text(&document, "/displayName").unwrap_or_default(),
            state: text(&document, "/state").unwrap_or_default(),
        });
        Ok((seen.collect(), gap))
    }

    /// Reads everything, of the subscriptions with these ids or names, or with none of all. What cannot be read is a gap.
    /// Blocks, for at most about [`Limits::total`].
    ///
    /// # Errors
    /// When nobody can be logged in, Azure cannot be reached, or does not say which subscriptions there are; and when we
    /// were told to stop.
    pub fn read(&mut self, wanted: &[String]) -> Result<Estate, AskError> {
        let (chosen, mut gap) = self.chosen(wanted)?;
        if chosen.len() > self.client.limits.subscriptions {
            gap = Some(Gap {
                status: CollectionStatus::Error,
                action: String::new(),
                detail: "there are more subscriptions than are read: name those that matter"
                    .to_owned(),
            });
        }
        let reader = Reader {
            client: &self.client,
            ended: RefCell::default(),
        };
        let most = self.client.limits.subscriptions;
        let mut subscriptions = Vec::new();
        for (id, document) in chosen.into_values().take(most) {
            subscriptions.push(reader.subscription(&id, document));
            if reader.is_stopped() {
                return Err(AskError::Stopped);
            }
        }
        Ok(Estate {
            subscriptions,
            gap,
            source: self.client.server().to_owned(),
        })
    }

    /// The wanted ones of all subscriptions that can be seen, by id, and why not all of them are there.
    fn chosen(&mut self, wanted: &[String]) -> Result<(Chosen, Option<Gap>), AskError> {
        self.client.begin();
        let Listed { items, trouble } = self.client.list(&SUBSCRIPTIONS, "");
        let mut gap = match trouble {
            Some(error) if items.is_empty() => return Err(error),
            Some(error) => Some(gap(&SUBSCRIPTIONS, &error)),
            None => None,
        };
        let mut chosen = Chosen::new();
        for document in items {
            let id = text(&document, "/subscriptionId").unwrap_or_default();
            let name = text(&document, "/displayName").unwrap_or_default();
            let is_wanted =
                |one: &String| one.eq_ignore_ascii_case(&id) || one.eq_ignore_ascii_case(&name);
            if !wanted.is_empty() && !wanted.iter().any(is_wanted) {
                continue;
            }
            if let Some(id) = ResourceId::subscription(&id) {
                chosen.insert(id.lower(), (id, document));
            }
        }
        let is_there = |one: &&String| {
            chosen.values().any(|(id, document)| {
                one.eq_ignore_ascii_case(id.name())
                    || text(document, "/displayName")
                        .is_some_and(|name| one.eq_ignore_ascii_case(&name))
            })
        };
        let unseen: Vec<&str> = wanted
            .iter()
            .filter(|one| !is_there(one))
            .map(String::as_str)
            .collect();
        if !unseen.is_empty() {
            let detail = format!("{} cannot be seen", unseen.join(", "));
            gap = Some(denied(&SUBSCRIPTIONS, detail));
        }
        Ok((chosen, gap))
    }
}

/// Subscriptions and their documents, by id.
type Chosen = BTreeMap<String, (ResourceId, Value)>;

/// See [`Azure::read`].
struct Reader<'c> {
    client: &'c Client,
    ended: RefCell<Ended>,
}

/// Whether asking still makes sense.
#[derive(Default)]
struct Ended {
    silent: u32,
    why: Option<Gap>,
    is_stopped: bool,
}

impl Reader<'_> {
    fn subscription(&self, id: &ResourceId, document: Value) -> Subscription {
        let base = id.path();
        let (managed, managed_gap) = self.resources(&CLUSTERS, id);
        let (connected, connected_gap) = self.resources(&CONNECTED, id);
        let (registries, registries_gap) = self.resources(&REGISTRIES, id);
        let has_owners = !managed.is_empty() || !connected.is_empty() || !registries.is_empty();
        let roles = match has_owners {
            true => self.roles(&base),
            false => Ok(BTreeMap::new()),
        };
        let cluster = |(id, document): (ResourceId, Value), is_managed: bool| {
            let base = id.path();
            Cluster {
                diagnostics: match is_managed {
                    true => self.part(&DIAGNOSTICS, &base),
                    false => Part::default(),
                },
                assignments: self.assignments(&base, &roles),
                extensions: self.part(&EXTENSIONS, &base),
                document,
            }
        };
        let mut clusters: Vec<Cluster> = Vec::new();
        clusters.extend(managed.into_iter().map(|found| cluster(found, true)));
        clusters.extend(connected.into_iter().map(|found| cluster(found, false)));
        let registries = registries.into_iter().map(|(id, document)| Registry {
            assignments: self.assignments(&id.path(), &roles),
            private_endpoints: self.part(&PRIVATE_ENDPOINTS, &id.path()),
            document,
        });
        Subscription {
            registries: registries.collect(),
            document,
            plans: self.part(&PLANS, &base),
            policies: self.part(&POLICIES, &base),
            vaults: self.part(&VAULTS, &base),
            clusters,
            // A service that is not there takes nothing away.
            clusters_gap: [managed_gap, connected_gap]
                .into_iter()
                .flatten()
                .max_by_key(|gap| gap.status),
            registries_gap,
        }
    }

    /// Resources of a subscription, and why not all of them are there.
    fn resources(
        &self,
        request: &Request,
        subscription: &ResourceId,
    ) -> (Vec<(ResourceId, Value)>, Option<Gap>) {
        let part = self.part(request, &subscription.path());
        let mut gap = part
            .gap
            .filter(|gap| gap.status != CollectionStatus::Absent);
        let mut found = BTreeMap::new();
        let mut left_out = 0_usize;
        for document in part.documents.unwrap_or_default() {
            let id = text(&document, "/id").and_then(|id| ResourceId::parse(&id));
            match id.filter(|id| id.is_within(subscription)) {
                Some(id) => {
                    found.insert(id.lower(), (id, document));
                }
                None => left_out = left_out.saturating_add(1),
            }
        }
        if left_out > 0 {
            let detail = format!("{left_out} documents have no id within the subscription");
            gap = gap.or(Some(Gap {
                status: CollectionStatus::Error,
                action: request.action.to_owned(),
                detail,
            }));
        }
        (found.into_values().collect(), gap)
    }

    /// Names of roles, by the last part of their ids.
    fn roles(&self, base: &str) -> Result<BTreeMap<String, String>, Gap> {
        let part = self.part(&ROLES, base);
        match (part.documents, part.gap) {
            (Some(documents), None) => Ok(documents
                .iter()
                .filter_map(|role| {
                    let name = text(role, "/properties/roleName")?;
                    Some((last(&text(role, "/id")?), name))
                })
                .collect()),
            (_, Some(gap)) => Err(gap),
            (None, None) => Ok(BTreeMap::new()),
        }
    }

    fn assignments(&self, base: &str, roles: &Result<BTreeMap<String, String>, Gap>) -> Part {
        let roles = match roles {
            Ok(roles) => roles,
            Err(gap) => {
                return Part {
                    documents: None,
                    gap: Some(gap.clone()),
                };
            }
        };
        self.part(&ASSIGNMENTS, base)
            .map(|document| assignment(&document, roles))
    }

    /// What a request brings. A list that breaks off half-way is none: what is not in it may be what matters.
    fn part(&self, request: &Request, base: &str) -> Part {
        if let Some(why) = &self.ended.borrow().why {
            return Part {
                documents: None,
                gap: Some(Gap {
                    action: request.action.to_owned(),
                    ..why.clone()
                }),
            };
        }
        let Listed { items, trouble } = self.client.list(request, base);
        self.note(trouble.as_ref());
        match trouble {
            None => Part::of(items),
            Some(error) => {
                let gap = gap(request, &error);
                let is_kept = gap.status == CollectionStatus::Absent || !items.is_empty();
                Part {
                    documents: is_kept.then_some(items),
                    gap: Some(gap).filter(|gap| gap.status != CollectionStatus::Absent),
                }
            }
        }
    }

    /// Azure that has stopped to answer is not waited for with each request.
    fn note(&self, trouble: Option<&AskError>) {
        let mut ended = self.ended.borrow_mut();
        match trouble {
            Some(error @ (AskError::Unreachable { .. } | AskError::TooSlow { .. })) => {
                ended.silent = ended.silent.saturating_add(1);
                if ended.silent >= MOST_SILENT {
                    ended.why = Some(gap(&SUBSCRIPTIONS, error));
                }
            }
            Some(error) if error.ends_all() => {
                ended.is_stopped = matches!(error, AskError::Stopped);
                ended.why = Some(gap(&SUBSCRIPTIONS, error));
            }
            Some(_) | None => ended.silent = 0,
        }
    }

    fn is_stopped(&self) -> bool {
        self.ended.borrow().is_stopped
    }
}

/// One assignment in our words.
fn assignment(document: &Value, roles: &BTreeMap<String, String>) -> Option<Value> {
    let property = |name: &str| text(document, &format!("/properties/{name}"));
    let role = last(&property("roleDefinitionId")?);
    Some(json!({
        "principal_id": property("principalId")?,
        "principal_type": property("principalType").unwrap_or_else(|| "Unknown".to_owned()),
        // A role of a management group that cannot be seen keeps its number.
        "role": roles.get(&role).unwrap_or(&role),
        "scope": property("scope").unwrap_or_default().to_lowercase(),
    }))
}

fn gap(request: &Request, error: &AskError) -> Gap {
    let status = error.status();
    let detail = match (status, error) {
        (CollectionStatus::Denied, AskError::Refused { .. }) => {
            format!("the role lacks {}", request.action)
        }
        _ => error.to_string(),
    };
    Gap {
        status,
        action: request.action.to_owned(),
        detail,
    }
}

fn denied(request: &Request, detail: String) -> Gap {
    Gap {
        status: CollectionStatus::Denied,
        action: request.action.to_owned(),
        detail,
    }
}

fn last(id: &str) -> String {
    id.rsplit('/').next().unwrap_or_default().to_lowercase()
}

fn text(document: &Value, pointer: &str) -> Option<String> {
    document
        .pointer(pointer)
        .and_then(Value::as_str)
        .map(str::to_owned)
}
