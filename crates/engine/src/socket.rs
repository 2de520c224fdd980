//! Unix sockets for the HTTP client, which knows TCP only: the few lines that differ from its own
//! transport. The HTTP is the client's.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Weak};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, ShutdownHandle, Transport,
};

/// Connects to one socket, whatever the address says.
#[derive(Debug)]
pub(crate) struct UnixConnector {
    path: Utf8PathBuf,
}

impl UnixConnector {
    pub(crate) fn new(path: &Utf8Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }
}

impl Connector<()> for UnixConnector {
    type Out = UnixTransport;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _chained: Option<()>,
    ) -> Result<Option<UnixTransport>, ureq::Error> {
        let patience = length(&details.timeout);
        let stream = open(&self.path, patience).map_err(|error| failed(error, &details.timeout))?;
        let socket = Arc::new(Socket(stream));
        let handle: Weak<dyn ShutdownHandle> = Arc::<Socket>::downgrade(&socket);
        (details.register_shutdown)(handle)?;
        Ok(Some(UnixTransport {
            socket,
            buffers: LazyBuffers::new(
                details.config.input_buffer_size(),
                details.config.output_buffer_size(),
            ),
        }))
    }
}

/// A socket that another thread can shut down.
#[derive(Debug)]
struct Socket(UnixStream);

impl ShutdownHandle for Socket {
    fn shutdown(&self) {
        // An error means that it is closed already.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

/// One connection.
#[derive(Debug)]
pub(crate) struct UnixTransport {
    socket: Arc<Socket>,
    buffers: LazyBuffers,
}

impl Transport for UnixTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        let timeout = timeout.for_write();
        let mut stream = &self.socket.0;
        stream.set_write_timeout(length(&timeout))?;
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        stream
            .write_all(output)
            .map_err(|error| failed(error, &timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        let timeout = timeout.for_read();
        let mut stream = &self.socket.0;
        stream.set_read_timeout(length(&timeout))?;
        let input = self.buffers.input_append_buf();
        let read = loop {
            match stream.read(input) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result.map_err(|error| failed(error, &timeout))?,
            }
        };
        self.buffers.input_appended(read);
        Ok(read > 0)
    }

    /// Asked before a connection is used again: an engine that closed it, or says something unasked, is left.
    fn is_open(&mut self) -> bool {
        let mut stream = &self.socket.0;
        if stream.set_nonblocking(true).is_err() {
            return false;
        }
        let is_silent = matches!(
            stream.read(&mut [0]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock
        );
        is_silent && stream.set_nonblocking(false).is_ok()
    }
}

/// Connects, but does not wait for ever when nobody takes the connections that wait already.
fn open(path: &Utf8Path, patience: Option<Duration>) -> io::Result<UnixStream> {
    let socket = socket_with(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )?;
    // The system's connect obeys it as well as its writes do (unix(7), socket(7)).
    set_socket_timeout(&socket, Timeout::Send, patience)?;
    connect(&socket, &SocketAddrUnix::new(path.as_str())?)?;
    Ok(UnixStream::from(socket))
}

fn length(timeout: &NextTimeout) -> Option<Duration> {
    timeout.not_zero().map(|length| *length)
}

fn failed(error: io::Error, timeout: &NextTimeout) -> ureq::Error {
    match error.kind() {
        // A socket that waited long enough says the former.
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => ureq::Error::Timeout(timeout.reason),
        _ => error.into(),
    }
}

/// Looks nothing up: there is no host behind a socket.
#[derive(Debug)]
pub(crate) struct Nowhere;

impl Resolver for Nowhere {
    fn resolve(
        &self,
        _uri: &Uri,
        _config: &Config,
        _timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut addresses = self.empty();
        addresses.push(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)));
        Ok(addresses)
    }
}
