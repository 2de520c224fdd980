//! Signing in, users, API tokens and the server's state.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Database;

/// Name and password of a local user.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The user's name; case does not matter.
    pub name: String,
    /// The password.
    pub password: String,
}

/// The secret of a one-time sign-in link.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInLink {
    /// The part of the link after `#token=`.
    pub token: String,
}

/// A new password for the signed-in user.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// The current password; left out by a user who has none yet.
    #[serde(default)]
    pub current: Option<String>,
    /// At least 12 characters.
    pub new: String,
}

/// Who is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// The user.
    pub user: User,
    /// To be sent as `X-CSRF-Token` with every request that changes something.
    pub csrf_token: String,
    /// The user came by a link and has no password yet.
    pub password_needed: bool,
}

/// A local user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// The name.
    pub name: String,
    /// `reader`, `operator`, `security_admin` or `owner`.
    pub role: String,
    /// When the user was made.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
}

/// All users.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UserList {
    /// Sorted by name.
    pub users: Vec<User>,
}

/// A user to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// 1 to 64 letters, digits and `. _ - @`.
    pub name: String,
    /// `reader`, `operator`, `security_admin` or `owner`.
    pub role: String,
}

/// A user that was made, with the link by which they sign in the first time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UserCreated {
    /// The user.
    pub user: User,
    /// Path and fragment of the one-time link, to be put behind the server's address. Valid for a day.
    pub sign_in_path: String,
}

/// An API token without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Token {
    /// To delete it by.
    pub id: i64,
    /// What it is for.
    pub name: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// When it ends; never, if absent.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires: Option<Timestamp>,
    /// When it was last used, to the minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used: Option<Timestamp>,
    /// The secret, shown once: only in the answer that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// The signed-in user's API tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TokenList {
    /// Newest first.
    pub tokens: Vec<Token>,
}

/// A token to make. It can do what its user can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What it is for, 1 to 100 characters.
    pub name: String,
    /// Days until it ends, 1 to 3,650.
    pub days: u32,
}

/// The server's own state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// The server's version.
    pub version: String,
    /// The advisory database in use.
    pub database: Database,
    /// Scans that wait or run.
    pub scans_pending: u64,
    /// Jobs that were given up after their last attempt.
    pub jobs_dead: u64,
    /// Advisories are being fetched, or will be soon.
    pub updating: bool,
    /// What went wrong with the last update of the advisories; absent when nothing did.
    pub update_problem: Option<String>,
    /// The server is matching stored packages against a changed database: findings may still change.
    pub rematching: bool,
}
