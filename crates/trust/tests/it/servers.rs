//! Clients before real TLS servers, whose certificates are of every kind.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType, date_time_ymd};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use seareeve_trust::{Authorities, agent, is_stranger};
use ureq::{Agent, Error};

/// What a server shows.
struct Shown {
    pem: String,
    config: Arc<ServerConfig>,
}

/// Parameters of a certificate of this machine.
fn here(is_ca: bool) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.subject_alt_names = vec![SanType::IpAddress([127, 0, 0, 1].into())];
    if is_ca {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    params
}

fn own(params: &CertificateParams) -> Shown {
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    shown(certificate.pem(), vec![certificate.der().clone()], &key)
}

fn shown(pem: String, chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> Shown {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let key = provider.key_provider.load_private_key(key).unwrap();
    // Also with a key that is another's.
    let shown = SingleCertAndKey::from(CertifiedKey::new(chain, key));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(shown));
    Shown {
        pem,
        config: Arc::new(config),
    }
}

/// Asks a server that shows `shown`, trusting `pem` if anything.
fn ask(shown: &Shown, pem: Option<&str>) -> Result<String, Error> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let config = Arc::clone(&shown.config);
    let server = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
        let mut asked = [0; 1024];
        // A client that does not believe it hangs up.
        if stream.read(&mut asked).is_ok_and(|read| read > 0) {
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\nhere";
            stream.write_all(answer).unwrap();
        }
    });
    let mut authorities = Authorities::default();
    if let Some(pem) = pem {
        authorities.add_pem(pem.as_bytes()).unwrap();
    }
    let config = Agent::config_builder()
        .tls_config(authorities.tls())
        .proxy(None)
        .build();
    let answer = agent(config).get(format!("https://{address}/")).call();
    server.join().unwrap();
    answer?.body_mut().read_to_string()
}

#[test]
fn a_certificate_that_is_trusted_itself_is_believed() {
    // What `openssl req -x509` makes says that it is an authority's.
    for is_ca in [true, false] {
        let server = own(&here(is_ca));
        assert_eq!(ask(&server, Some(&server.pem)).unwrap(), "here", "{is_ca}");
        let error = ask(&server, None).unwrap_err();
        assert!(is_stranger(&error), "{error}");
        // Another one of the same kind and name is not it.
        let error = ask(&server, Some(&own(&here(is_ca)).pem)).unwrap_err();
        assert!(is_stranger(&error), "{error}");
    }
}

#[test]
fn it_is_believed_within_its_time_and_for_its_names_only() {
    let mut late = here(true);
    late.not_after = date_time_ymd(2020, 1, 1);
    let mut early = here(true);
    early.not_before = date_time_ymd(2200, 1, 1);
    early.not_after = date_time_ymd(2201, 1, 1);
    let mut elsewhere = here(true);
    elsewhere.subject_alt_names = vec![SanType::IpAddress([127, 0, 0, 2].into())];
    for params in [late, early, elsewhere] {
        let server = own(&params);
        let error = ask(&server, Some(&server.pem)).unwrap_err();
        assert!(!is_stranger(&error), "{error}");
        assert!(error.to_string().contains("certificate"), "{error}");
    }
}

#[test]
fn it_has_to_have_its_key() {
    let server = own(&here(true));
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateDer::from_pem_slice(server.pem.as_bytes()).unwrap();
    let other = shown(server.pem.clone(), vec![certificate], &key);
    ask(&other, Some(&server.pem)).unwrap_err();
}

#[test]
fn an_authority_is_believed_in_whom_it_signs() {
    let mut params = here(true);
    params.subject_alt_names.clear();
    let key = KeyPair::generate().unwrap();
    let authority = params.self_signed(&key).unwrap();
    let issuer = Issuer::from_params(&params, &key);
    let leaf_key = KeyPair::generate().unwrap();
    let leaf = here(false).signed_by(&leaf_key, &issuer).unwrap();
    let server = shown(leaf.pem(), vec![leaf.der().clone()], &leaf_key);
    assert_eq!(ask(&server, Some(&authority.pem())).unwrap(), "here");
    assert!(is_stranger(&ask(&server, None).unwrap_err()));
    // An authority that signed itself is no server of another's name.
    let sub_key = KeyPair::generate().unwrap();
    let sub = here(true).signed_by(&sub_key, &issuer).unwrap();
    let server = shown(sub.pem(), vec![sub.der().clone()], &sub_key);
    assert!(is_stranger(
        &ask(&server, Some(&authority.pem())).unwrap_err()
    ));
}
