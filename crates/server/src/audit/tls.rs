//! The certificate of `audit.listen`: one that is given, or one of an authority of our own.
//!
//! Our authority is made at the first start and kept in the data folder. API servers are given its certificate, so that
//! the server's own may be made anew, with other names, at every start.

use std::io;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::Arc;

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest as _, Sha256};
use tracing::info;

use crate::config::Config;
use crate::tls::{Acceptor, Files, server_config};

/// What a listener serves with.
#[derive(Clone)]
pub(crate) struct Tls {
    pub(crate) acceptor: Arc<Acceptor>,
    /// The certificate (PEM) of our authority; nothing where a certificate was given.
    pub(crate) authority: Option<String>,
}

impl Tls {
    /// Nothing, if nobody is listened to.
    pub(super) fn open(config: &Config) -> anyhow::Result<Option<Self>> {
        let audit = &config.audit;
        let Some(address) = audit.address() else {
            return Ok(None);
        };
        let client_ca = Some(&audit.client_ca).filter(|path| !path.as_str().is_empty());
        if !audit.certificate.as_str().is_empty() {
            let files = Files {
                setting: "audit.certificate",
                certificate: audit.certificate.clone(),
                key: audit.key.clone(),
                client_ca: client_ca.cloned(),
            };
            return Ok(Some(Self {
                acceptor: Acceptor::of_files(files)?,
                authority: None,
            }));
        }
        let authority = Authority::open(&config.server.data_dir.join("tls"))?;
        let (chain, key) = authority.issue(&names(&audit.names, address.ip()))?;
        let config = server_config(chain, key, client_ca.map(Utf8PathBuf::as_path));
        Ok(Some(Self {
            acceptor: Acceptor::fixed(config.context("setting audit.client_ca")?),
            authority: Some(authority.certificate),
        }))
    }
}

/// Names for a certificate of our own.
fn names(given: &[String], address: IpAddr) -> Vec<String> {
    let mut names: Vec<String> = given
        .iter()
        .filter(|name| !name.is_empty())
        .cloned()
        .collect();
    names.extend(["localhost", "127.0.0.1", "::1"].map(str::to_owned));
    if !address.is_unspecified() {
        names.push(address.to_string());
    }
    names.extend(machine());
    names.sort();
    names.dedup();
    names
}

/// What this machine calls itself.
pub(super) fn machine() -> Option<String> {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(host.trim().to_owned()).filter(|host| !host.is_empty())
}

/// An authority of our own.
struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// The one in `folder`, which is made when there is none.
    fn open(folder: &Utf8Path) -> anyhow::Result<Self> {
        crate::make_private_folder(folder)?;
        let (certificate_file, key_file) = (folder.join("ca.crt"), folder.join("ca.key"));
        if !certificate_file.exists() {
            let (certificate, key) = new_authority()?;
            // The key first: without its certificate it is made anew, and nobody knows of either.
            write(&key_file, &key)?;
            write(&certificate_file, &certificate)?;
            let fingerprint = fingerprint(&certificate)?;
            info!(file = %certificate_file, sha256 = fingerprint, "made an authority for TLS");
        }
        let read = |path: &Utf8PathBuf| {
            std::fs::read_to_string(path).with_context(|| format!("failed to read {path}"))
        };
        let (certificate, key) = (read(&certificate_file)?, read(&key_file)?);
        let key = KeyPair::from_pem(&key)
            .with_context(|| format!("{key_file} is no key; delete {folder} to begin anew"))?;
        let issuer = Issuer::new(authority_params(), key);
        Ok(Self {
            certificate,
            issuer,
        })
    }

    /// A certificate for these names, and its key, which is kept nowhere.
    fn issue(
        &self,
        names: &[String],
    ) -> anyhow::Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)> {
        let key = KeyPair::generate().context("failed to make a key")?;
        let mut params = CertificateParams::new(names.to_vec())
            .with_context(|| format!("setting audit.names: {}", names.join(", ")))?;
        params
            .distinguished_name
            .push(DnType::CommonName, "Seareeve");
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params
            .signed_by(&key, &self.issuer)
            .context("failed to sign a certificate")?;
        let authority = CertificateDer::from_pem_slice(self.certificate.as_bytes())
            .context("the authority's certificate is none")?;
        let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes())
            .context("failed to make a key")?;
        Ok((vec![certificate.der().clone(), authority], key))
    }
}

/// Always the same, since an issuer is named by what it says of itself.
fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, "Seareeve authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn new_authority() -> anyhow::Result<(String, String)> {
    let key = KeyPair::generate().context("failed to make a key")?;
    let certificate = authority_params()
        .self_signed(&key)
        .context("failed to make an authority")?;
    Ok((certificate.pem(), key.serialize_pem()))
}

/// What people compare: SHA-256 of the certificate.
fn fingerprint(pem: &str) -> anyhow::Result<String> {
    let certificate = CertificateDer::from_pem_slice(pem.as_bytes())
        .context("the authority's certificate is none")?;
    let bytes = Sha256::digest(&certificate);
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    Ok(pairs.join(":"))
}

fn write(path: &Utf8Path, text: &str) -> anyhow::Result<()> {
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| io::Write::write_all(&mut file, text.as_bytes()));
    written.with_context(|| format!("failed to write {path}"))
}
