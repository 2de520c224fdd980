//! The one way in which a cluster is changed: requests that somebody asked for by name, one after the other. Nothing that
//! collects facts comes here.

use std::io::Read as _;

use serde_json::Value;

use super::client::{AskError, Client, Limits};
use super::connection::{Connection, ConnectionError};

/// Bytes of an answer that are looked at.
const MOST_ANSWER: u64 = 4 << 20;

/// Makes requests of a cluster's API that change something.
pub struct Actor(Client);

impl Actor {
    /// One for this cluster.
    ///
    /// # Errors
    /// When the connection makes no sense.
    pub fn new(connection: &Connection) -> Result<Self, ConnectionError> {
        Client::new(connection, Limits::default()).map(Self)
    }

    /// Where the cluster is.
    #[must_use]
    pub fn server(&self) -> &str {
        self.0.server()
    }

    /// Makes one request. Returns the answer's status, whatever it is.
    ///
    /// # Errors
    /// When there was no answer.
    pub fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Result<u16, AskError> {
        self.ask(method, path, body).map(|(status, _)| status)
    }

    /// Makes one request. Returns the answer's status, whatever it is, and what was answered: null, if that is no JSON.
    ///
    /// # Errors
    /// When there was no answer.
    pub fn ask(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(u16, Value), AskError> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let (status, answer) = self.0.send(method, path, body.into_bytes())?;
        // Read to its end, so that the connection can be used again.
        let mut text = Vec::new();
        let _ = answer.take(MOST_ANSWER).read_to_end(&mut text);
        Ok((status, serde_json::from_slice(&text).unwrap_or_default()))
    }
}
