//! Just enough HTTP to tell an engine what to do: one request per connection, HTTP/1.0, so that the answer ends where
//! the connection does.

use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;

/// Longest wait for an answer: building an image takes a while.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) fn ask(
    socket: &Path,
    method: &str,
    path: &str,
    kind: &str,
    body: &[u8],
) -> Result<Value> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let head = format!(
        "{method} {path} HTTP/1.0\r\nHost: lab\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        // Who answers without having read the last zeros of an archive is seen to break the connection.
        Err(error) if error.kind() == ErrorKind::ConnectionReset && !answer.is_empty() => {}
        result => {
            result?;
        }
    }
    let answer = String::from_utf8_lossy(&answer);
    let (_, body) = answer
        .split_once("\r\n\r\n")
        .with_context(|| format!("{method} {path} gave no answer"))?;
    // What streams (building, importing) is one document per line; the last one says how it ended.
    let last = body.trim().lines().last().unwrap_or_default();
    if last.is_empty() || last == "OK" {
        return Ok(Value::Null);
    }
    serde_json::from_str(last).with_context(|| format!("{method} {path} gave no document: {last}"))
}
