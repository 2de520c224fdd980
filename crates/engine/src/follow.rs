//! Answers that do not end: an engine's events, one line after the other as they come.

use std::io::{self, BufRead as _, BufReader, Read as _};
use std::ops::ControlFlow;
use std::time::Duration;

use ureq::http::{StatusCode, Uri};

use crate::client::{AskError, Client};

/// Longest line that is told; of one that is longer, nothing is.
const LINE: usize = 256 << 10;

/// What is told of an answer that does not end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard<'l> {
    /// It began: from here on everything is told.
    Begun,
    /// A line, without its end.
    Line(&'l [u8]),
    /// There was a line that is longer than is read.
    TooLong,
}

impl Client {
    /// Follows the answer at `path` until it ends, `tell` breaks, or [`Client::cut`]. Blocks. After `silence` without
    /// a byte it is [`AskError::TooSlow`]: the connection may be dead without anybody having said so.
    ///
    /// # Errors
    /// [`AskError`]. That the answer ends is none.
    pub fn follow(
        &self,
        path: &str,
        silence: Duration,
        tell: &mut dyn FnMut(Heard<'_>) -> ControlFlow<()>,
    ) -> Result<(), AskError> {
        let text = format!("http://{}{path}", self.endpoint().authority());
        let uri: Uri = text
            .parse()
            .map_err(|_invalid| self.malformed(path, "it is no path"))?;
        let request = self
            .agent
            .get(uri)
            .config()
            .timeout_per_read(Some(silence))
            .build();
        let response = request.call().map_err(|error| self.failed(path, error))?;
        if response.status() != StatusCode::OK {
            return Err(AskError::Refused {
                endpoint: self.endpoint().clone(),
                path: path.to_owned(),
                status: response.status().as_u16(),
                message: String::new(),
            });
        }
        if tell(Heard::Begun).is_break() {
            return Ok(());
        }
        let body = response.into_body().into_with_config().limit(u64::MAX);
        let mut lines = BufReader::new(body.reader());
        let mut line = Vec::new();
        loop {
            line.clear();
            let most = u64::try_from(LINE).unwrap_or(u64::MAX);
            let read = (&mut lines).take(most).read_until(b'\n', &mut line);
            let is_whole = line.last() == Some(&b'\n');
            let told = match read {
                Ok(0) => return Ok(()),
                Ok(_) if !is_whole && line.len() >= LINE => {
                    skip(&mut lines).map_err(|error| self.failed(path, error.into()))?;
                    tell(Heard::TooLong)
                }
                Ok(_) => tell(Heard::Line(line.trim_ascii())),
                Err(error) => return Err(self.failed(path, error.into())),
            };
            if told.is_break() {
                return Ok(());
            }
        }
    }
}

/// Reads to the end of the line without keeping it.
fn skip(lines: &mut impl io::BufRead) -> io::Result<()> {
    loop {
        let buffer = lines.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(buffer.len(), |end| end.saturating_add(1));
        lines.consume(length);
        if end.is_some() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::net::TcpListener;
    use std::time::Instant;

    use super::*;
    use crate::{Endpoint, Limits};

    /// A client for a server that answers with `body` and closes.
    fn client(head: &'static str, body: Vec<u8>) -> Client {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                asked.extend(byte);
            }
            stream.write_all(head.as_bytes()).unwrap();
            // Who breaks off reads no more.
            let _gone = stream.write_all(&body);
        });
        let endpoint: Endpoint = format!("tcp://{address}").parse().unwrap();
        let limits = Limits {
            connect: Duration::from_secs(5),
            silence: Duration::from_secs(5),
            reply: Duration::from_secs(5),
            deadline: Instant::now(),
            bytes: 1,
        };
        Client::new(&endpoint, "test", 1, limits)
    }

    fn heard(client: &Client, most: usize) -> (Vec<String>, Result<(), AskError>) {
        let mut told = Vec::new();
        let result = client.follow("/events", Duration::from_secs(5), &mut |heard| {
            told.push(match heard {
                Heard::Begun => "begun".to_owned(),
                Heard::Line(line) => String::from_utf8_lossy(line).into_owned(),
                Heard::TooLong => "too long".to_owned(),
            });
            match told.len() >= most {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        });
        (told, result)
    }

    const OK: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";

    #[test]
    fn lines_are_told_as_they_come_and_long_ones_are_not() {
        let mut body = b"{\"a\":1}\n\n".to_vec();
        body.extend(vec![b'x'; LINE * 3]);
        body.extend(b"\nlast\nhalf");
        let (told, result) = heard(&client(OK, body.clone()), 100);
        assert!(result.is_ok(), "{result:?}");
        assert_eq!(told, ["begun", "{\"a\":1}", "", "too long", "last", "half"]);
        let (told, result) = heard(&client(OK, body), 2);
        assert!(result.is_ok());
        assert_eq!(told, ["begun", "{\"a\":1}"]);
    }

    #[test]
    fn a_refusal_and_silence_are_errors() {
        let refused = client(
            "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
            Vec::new(),
        );
        let (told, result) = heard(&refused, 100);
        assert_eq!((told.len(), result.unwrap_err().status()), (0, Some(403)));
    }
}
