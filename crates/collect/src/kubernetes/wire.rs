//! Connections that notice when there is nobody at their other end any more.
//!
//! A watch says nothing for as long as nothing happens. When a firewall forgets its connection, or the machine at its
//! other end loses its power, that looks the same from here. So the kernel asks the other one's kernel, as often as
//! client-go asks by HTTP/2: after half a minute of silence, and for a quarter of a minute. This keeps what lies
//! between them from forgetting the connection, too.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use rustix::net::sockopt;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, ShutdownHandle,
    Transport,
};
use ureq::{Error, Timeout};

/// After so long without a byte the other end is asked whether it is there.
const ASKED_AFTER: Duration = Duration::from_secs(30);
/// The time between two questions.
const ASKED_EVERY: Duration = Duration::from_secs(5);
/// Questions without an answer after which the connection is broken.
const QUESTIONS: u32 = 3;

/// Opens connections that are kept alive, in the place of ureq's own, which has no setting for that.
#[derive(Debug)]
pub(super) struct Wires;

impl<In: Transport> Connector<In> for Wires {
    type Out = Either<In, Wire>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        // A proxy that the connection goes through was connected to already, by another one of these.
        if let Some(chained) = chained {
            return Ok(Some(Either::A(chained)));
        }
        let time = details.timeout.not_zero();
        let stream = open(&details.addrs, time.map_or(Duration::MAX, |time| *time))?;
        let stream = Arc::new(stream);
        let handle: Weak<dyn ShutdownHandle> = Arc::downgrade(&stream) as Weak<dyn ShutdownHandle>;
        (details.register_shutdown)(handle)?;
        let config = details.config;
        let buffers = LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
        Ok(Some(Either::B(Wire { stream, buffers })))
    }
}

/// A connection to the first of these that takes it, each of which gets its share of the time that is left.
fn open(addresses: &[SocketAddr], time: Duration) -> Result<TcpStream, Error> {
    let end = Instant::now().checked_add(time);
    let left = || end.map_or(time, |end| end.saturating_duration_since(Instant::now()));
    let mut failed = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for (tried, address) in addresses.iter().enumerate() {
        let others = addresses.len().saturating_sub(tried).max(1);
        let share = left() / u32::try_from(others).unwrap_or(u32::MAX);
        // No time at all is an error of its own.
        match TcpStream::connect_timeout(address, share.max(Duration::from_millis(1))) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                keep_alive(&stream)?;
                return Ok(stream);
            }
            Err(error) => failed = error,
        }
    }
    Err(failed.into())
}

fn keep_alive(stream: &TcpStream) -> io::Result<()> {
    sockopt::set_tcp_keepidle(stream, ASKED_AFTER)?;
    sockopt::set_tcp_keepintvl(stream, ASKED_EVERY)?;
    sockopt::set_tcp_keepcnt(stream, QUESTIONS)?;
    sockopt::set_socket_keepalive(stream, true)?;
    Ok(())
}

/// One connection.
#[derive(Debug)]
pub(super) struct Wire {
    /// Shared with the agent, which can end it while somebody waits for it.
    stream: Arc<TcpStream>,
    buffers: LazyBuffers,
}

impl Transport for Wire {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let timeout = timeout.for_write();
        self.stream.set_write_timeout(time(timeout)?)?;
        let output = self.buffers.output();
        let output = output.get(..amount).unwrap_or(output);
        let written = (&*self.stream).write_all(output);
        written.map_err(|error| failed(error, timeout.reason))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let timeout = timeout.for_read();
        let end = time(timeout)?.and_then(|time| Instant::now().checked_add(time));
        let input = self.buffers.input_append_buf();
        let amount = loop {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Err(Error::Timeout(timeout.reason));
            }
            self.stream.set_read_timeout(left)?;
            match (&*self.stream).read(input) {
                // A signal, which is not for us.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read.map_err(|error| failed(error, timeout.reason))?,
            }
        };
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    /// Whether it can be used for another request: nothing came that nobody asked for, not even its end.
    fn is_open(&mut self) -> bool {
        let looked = || -> io::Result<bool> {
            self.stream.set_nonblocking(true)?;
            let waiting = self.stream.peek(&mut [0]);
            self.stream.set_nonblocking(false)?;
            Ok(waiting.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock))
        };
        looked().unwrap_or(false)
    }
}

/// The time that is left; nothing when there is no end to it.
fn time(timeout: NextTimeout) -> Result<Option<Duration>, Error> {
    match timeout.after.is_not_happening() {
        true => Ok(None),
        false if timeout.after.is_zero() => Err(Error::Timeout(timeout.reason)),
        false => Ok(Some(*timeout.after)),
    }
}

/// Sockets say `WouldBlock` when their time is over. `TimedOut` is said by those whose other end does not answer.
fn failed(error: io::Error, reason: Timeout) -> Error {
    match error.kind() {
        io::ErrorKind::WouldBlock => Error::Timeout(reason),
        _ => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn the_kernel_asks_whether_the_other_end_is_there() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = open(&[listener.local_addr().unwrap()], Duration::from_secs(60)).unwrap();
        assert!(sockopt::socket_keepalive(&stream).unwrap());
        let idle = sockopt::tcp_keepidle(&stream).unwrap();
        let between = sockopt::tcp_keepintvl(&stream).unwrap();
        let questions = sockopt::tcp_keepcnt(&stream).unwrap();
        assert!(
            idle + between * questions <= Duration::from_secs(45),
            "{idle:?} {between:?} {questions}"
        );
    }

    #[test]
    fn one_address_that_refuses_is_not_all() {
        let closed = TcpListener::bind("127.0.0.1:0").unwrap();
        let nobody = closed.local_addr().unwrap();
        drop(closed);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let there = listener.local_addr().unwrap();
        let stream = open(&[nobody, there], Duration::from_secs(60)).unwrap();
        assert_eq!(stream.peer_addr().unwrap(), there);
        assert!(open(&[nobody], Duration::from_secs(60)).is_err());
        assert!(open(&[], Duration::from_secs(60)).is_err());
    }
}
