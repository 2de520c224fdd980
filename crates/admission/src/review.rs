//! `AdmissionReview` of `admission.k8s.io/v1`: the question as the API server puts it, and the answer as it wants it.

use std::fmt;

use seareeve_kubernetes::Slim;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::Answer;

const API_VERSION: &str = "admission.k8s.io/v1";
const KIND: &str = "AdmissionReview";
/// Characters of a name at most: Kubernetes allows 253, and role names of any length.
const MOST_NAME: usize = 1_024;
/// Characters of a review's uid at most; it is sent back.
const MOST_UID: usize = 128;

/// What is to be done to the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// It is new.
    Create,
    /// It is changed.
    Update,
    /// It goes.
    Delete,
    /// Somebody connects to it.
    Connect,
}

/// A question of the API server.
#[derive(Clone, Debug, PartialEq)]
pub struct Review {
    /// Names the question in the answer.
    pub uid: String,
    /// Such as `Pod`.
    pub kind: String,
    /// Such as `ephemeralcontainers`; empty for the object itself.
    pub sub_resource: String,
    /// Empty for objects without one.
    pub namespace: String,
    /// Empty where the API server makes it.
    pub name: String,
    /// What is to be done.
    pub operation: Operation,
    /// Whether nothing comes of it in any case.
    pub is_dry_run: bool,
    /// Who asks.
    pub user: String,
    /// As it would be.
    pub object: Option<Value>,
    /// As it is.
    pub old_object: Option<Value>,
}

/// Why a body is no review. The fault of who sent it.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// It is not JSON of the form.
    #[error("not an AdmissionReview: {0}")]
    Format(String),
    /// It is of another version, or an answer.
    #[error("only questions of {API_VERSION} are answered")]
    Version,
    /// A name is longer than any can be.
    #[error("`{0}` is too long")]
    Long(&'static str),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    #[serde(default)]
    api_version: String,
    #[serde(default)]
    kind: String,
    request: Option<WireRequest>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRequest {
    uid: String,
    kind: WireKind,
    #[serde(default)]
    sub_resource: Option<String>,
    #[serde(default)]
    namespace: Option<String>,
    #[serde(default)]
    name: Option<String>,
    operation: WireOperation,
    #[serde(default)]
    dry_run: Option<bool>,
    #[serde(default)]
    user_info: WireUser,
    #[serde(default)]
    object: Option<Slim>,
    #[serde(default)]
    old_object: Option<Slim>,
}

#[derive(Deserialize)]
struct WireKind {
    kind: String,
}

#[derive(Default, Deserialize)]
struct WireUser {
    #[serde(default)]
    username: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum WireOperation {
    Create,
    Update,
    Delete,
    Connect,
}

impl Review {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// When it is no question of the API server.
    pub fn read(body: &[u8]) -> Result<Self, ReviewError> {
        let wire: Wire =
            serde_json::from_slice(body).map_err(|error| ReviewError::Format(error.to_string()))?;
        if wire.api_version != API_VERSION || wire.kind != KIND {
            return Err(ReviewError::Version);
        }
        let request = wire.request.ok_or(ReviewError::Version)?;
        let review = Self {
            uid: request.uid,
            kind: request.kind.kind,
            sub_resource: request.sub_resource.unwrap_or_default(),
            namespace: request.namespace.unwrap_or_default(),
            name: request.name.unwrap_or_default(),
            operation: match request.operation {
                WireOperation::Create => Operation::Create,
                WireOperation::Update => Operation::Update,
                WireOperation::Delete => Operation::Delete,
                WireOperation::Connect => Operation::Connect,
            },
            is_dry_run: request.dry_run.unwrap_or(false),
            user: request.user_info.username,
            object: request.object.and_then(|Slim(object)| object),
            old_object: request.old_object.and_then(|Slim(object)| object),
        };
        for (name, text, most) in [
            ("uid", &review.uid, MOST_UID),
            ("kind", &review.kind, MOST_NAME),
            ("subResource", &review.sub_resource, MOST_NAME),
            ("namespace", &review.namespace, MOST_NAME),
            ("name", &review.name, MOST_NAME),
            ("username", &review.user, MOST_NAME),
        ] {
            if text.len() > most {
                return Err(ReviewError::Long(name));
            }
        }
        Ok(review)
    }
}

/// The answer to the question `uid`, as the API server wants it.
#[must_use]
pub fn reply(uid: &str, answer: &Answer) -> Value {
    let mut response = json!({"uid": uid, "allowed": answer.is_allowed});
    if let Some(fields) = response.as_object_mut() {
        if let Some(message) = &answer.message {
            let status = json!({"code": 403, "reason": "Forbidden", "message": message});
            fields.insert("status".to_owned(), status);
        }
        if !answer.warnings.is_empty() {
            fields.insert("warnings".to_owned(), json!(answer.warnings));
        }
        if !answer.annotations.is_empty() {
            fields.insert("auditAnnotations".to_owned(), json!(answer.annotations));
        }
    }
    json!({"apiVersion": API_VERSION, "kind": KIND, "response": response})
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Connect => "connect",
        })
    }
}
