//! The broker: one topic with one partition, for whoever shows the right password over TLS.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::scram::{Exchange, Hash};
use super::wire::{Reader, Writer, batch};

/// Errors of the protocol.
const UNSUPPORTED_MECHANISM: i16 = 33;
const ILLEGAL_STATE: i16 = 34;
const UNSUPPORTED_VERSION: i16 = 35;
const REFUSED: i16 = 58;

/// Requests that are answered, with the versions that are: number, least, most.
const KNOWN: [(i16, i16, i16); 6] = [
    (1, 4, 4),  // Fetch
    (2, 1, 1),  // ListOffsets
    (3, 1, 1),  // Metadata
    (17, 1, 1), // SaslHandshake
    (18, 0, 2), // ApiVersions
    (36, 1, 1), // SaslAuthenticate
];

/// How a password is shown.
#[derive(Clone, Copy)]
pub(super) enum Mechanism {
    Plain,
    Scram(Hash),
}

/// See the module. It lives until the test's process ends.
pub(super) struct Broker {
    pub(super) address: String,
    /// The certificate (PEM) of who signed its own.
    pub(super) authority: String,
    shared: Arc<Shared>,
}

struct Shared {
    mechanism: Mechanism,
    user: String,
    password: String,
    port: u16,
    records: Mutex<Vec<Vec<u8>>>,
    produced: Condvar,
    refused: AtomicUsize,
}

impl Broker {
    pub(super) fn start(mechanism: Mechanism, user: &str, password: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (config, authority) = tls();
        let shared = Arc::new(Shared {
            mechanism,
            user: user.to_owned(),
            password: password.to_owned(),
            port,
            records: Mutex::default(),
            produced: Condvar::new(),
            refused: AtomicUsize::new(0),
        });
        let state = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (state, config) = (Arc::clone(&state), Arc::clone(&config));
                std::thread::spawn(move || {
                    // Clients come and go as they like.
                    let _ = serve(stream.unwrap(), config, &state);
                });
            }
        });
        Self {
            address: format!("localhost:{port}"),
            authority,
            shared,
        }
    }

    pub(super) fn produce(&self, value: Vec<u8>) {
        self.shared.records.lock().unwrap().push(value);
        self.shared.produced.notify_all();
    }

    /// How often somebody was refused.
    pub(super) fn refused(&self) -> usize {
        self.shared.refused.load(Ordering::SeqCst)
    }
}

fn tls() -> (Arc<ServerConfig>, String) {
    let authority_key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&authority_key).unwrap().pem();
    let issuer = Issuer::new(params, authority_key);
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = own.signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    (Arc::new(config), authority)
}

/// How far somebody is with showing who it is.
enum Who {
    Stranger,
    Shaken,
    Asked(Exchange),
    Known,
}

fn serve(stream: TcpStream, config: Arc<ServerConfig>, shared: &Shared) -> io::Result<()> {
    let connection = ServerConnection::new(config).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(connection, stream);
    let mut who = Who::Stranger;
    loop {
        let mut length = [0; 4];
        stream.read_exact(&mut length)?;
        let mut request = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap()];
        stream.read_exact(&mut request)?;
        let mut request = Reader(&request);
        let (api, version, correlation) = (request.i16(), request.i16(), request.i32());
        let _client = request.text();
        let answer = Writer::default().i32(correlation);
        let is_known = KNOWN
            .iter()
            .any(|(known, least, most)| *known == api && (*least..=*most).contains(&version));
        let answer = match api {
            // Version 3 of the first request is answered in version 0, as all are that a broker does not know.
            18 => versions(
                answer,
                if is_known { 0 } else { UNSUPPORTED_VERSION },
                version,
            ),
            _ if !is_known => return Ok(()),
            17 => handshake(answer, &request.text(), &mut who, shared),
            36 => authenticate(answer, request.blob(), &mut who, shared),
            // Strangers are told nothing.
            _ if !matches!(who, Who::Known) => return Ok(()),
            3 => metadata(answer, shared),
            2 => offsets(answer, request, shared),
            1 => fetch(answer, request, shared),
            _ => return Ok(()),
        };
        let length = u32::try_from(answer.0.len()).unwrap();
        stream.write_all(&length.to_be_bytes())?;
        stream.write_all(&answer.0)?;
        stream.flush()?;
    }
}

fn versions(answer: Writer, error: i16, version: i16) -> Writer {
    let mut answer = answer.i16(error).i32(i32::try_from(KNOWN.len()).unwrap());
    for (api, least, most) in KNOWN {
        answer = answer.i16(api).i16(least).i16(most);
    }
    if error == 0 && version >= 1 {
        answer = answer.i32(0);
    }
    answer
}

fn handshake(answer: Writer, wanted: &str, who: &mut Who, shared: &Shared) -> Writer {
    let name = match shared.mechanism {
        Mechanism::Plain => "PLAIN",
        Mechanism::Scram(hash) => hash.mechanism(),
    };
    let error = if wanted == name {
        *who = Who::Shaken;
        0
    } else {
        UNSUPPORTED_MECHANISM
    };
    answer.i16(error).i32(1).text(name)
}

fn authenticate(answer: Writer, shown: &[u8], who: &mut Who, shared: &Shared) -> Writer {
    let refused = |answer: Writer, error: i16| {
        shared.refused.fetch_add(1, Ordering::SeqCst);
        let words = "Authentication failed: Invalid username or password";
        answer.i16(error).text(words).blob(b"").i64(0)
    };
    let fine = |answer: Writer, said: &[u8]| answer.i16(0).i16(-1).blob(said).i64(0);
    let came = std::mem::replace(who, Who::Stranger);
    match (came, shared.mechanism) {
        (Who::Shaken, Mechanism::Plain) => {
            // RFC 4616: for whom, who, password.
            let expected = format!("\0{}\0{}", shared.user, shared.password);
            if shown != expected.as_bytes() {
                return refused(answer, REFUSED);
            }
            *who = Who::Known;
            fine(answer, b"")
        }
        (Who::Shaken, Mechanism::Scram(hash)) => match Exchange::begin(hash, shown, &shared.user) {
            Some((exchange, said)) => {
                *who = Who::Asked(exchange);
                fine(answer, &said)
            }
            None => refused(answer, REFUSED),
        },
        (Who::Asked(exchange), _) => match exchange.end(shown, &shared.password) {
            Some(said) => {
                *who = Who::Known;
                fine(answer, &said)
            }
            None => refused(answer, REFUSED),
        },
        (Who::Stranger | Who::Known, _) => refused(answer, ILLEGAL_STATE),
    }
}

fn metadata(answer: Writer, shared: &Shared) -> Writer {
    answer
        .i32(1)
        .i32(0)
        .text("localhost")
        .i32(i32::from(shared.port))
        .i16(-1)
        .i32(0)
        .i32(1)
        .i16(0)
        .text("audit")
        .i8(0)
        .i32(1)
        .i16(0)
        .i32(0)
        .i32(0)
        .i32(1)
        .i32(0)
        .i32(1)
        .i32(0)
}

fn offsets(answer: Writer, mut request: Reader<'_>, shared: &Shared) -> Writer {
    let _replica = request.i32();
    let (_topics, topic) = (request.i32(), request.text());
    let (_partitions, partition, at) = (request.i32(), request.i32(), request.i64());
    let end = i64::try_from(shared.records.lock().unwrap().len()).unwrap();
    // -1 asks for the end, -2 for the beginning.
    let offset = if at == -2 { 0 } else { end };
    answer
        .i32(1)
        .text(&topic)
        .i32(1)
        .i32(partition)
        .i16(0)
        .i64(-1)
        .i64(offset)
}

fn fetch(answer: Writer, mut request: Reader<'_>, shared: &Shared) -> Writer {
    let (_replica, wait, _least, _most) =
        (request.i32(), request.i32(), request.i32(), request.i32());
    let _isolation = request.bytes(1);
    let (_topics, topic) = (request.i32(), request.text());
    let (_partitions, partition, offset) = (request.i32(), request.i32(), request.i64());
    let from = usize::try_from(offset).unwrap();
    let wait = Duration::from_millis(u64::try_from(wait).unwrap());
    let records = shared.records.lock().unwrap();
    let waiting = shared
        .produced
        .wait_timeout_while(records, wait, |records| records.len() <= from);
    let (records, _) = waiting.unwrap();
    let end = i64::try_from(records.len()).unwrap();
    let records: Vec<Vec<u8>> = records.get(from..).unwrap_or_default().to_vec();
    let mut batches = Vec::new();
    for (number, value) in (offset..).zip(&records) {
        batches.extend(batch(number, value));
    }
    answer
        .i32(0)
        .i32(1)
        .text(&topic)
        .i32(1)
        .i32(partition)
        .i16(0)
        .i64(end)
        .i64(end)
        .i32(-1)
        .blob(&batches)
}
