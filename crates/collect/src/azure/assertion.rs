//! What a certificate proves to Entra ID: a token of one's own, signed with its key
//! (learn.microsoft.com, "Microsoft identity platform application authentication certificate credentials"; RFC 7519,
//! RFC 7523).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::SignatureScheme;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::credentials::Secret;

/// How long it is good for, in seconds. Five to ten minutes are advised.
const SECONDS: i64 = 300;

/// Why there is none. The fault of whoever made the file.
#[derive(Debug, thiserror::Error)]
pub(super) enum AssertionError {
    #[error("there is no certificate in PEM form")]
    NoCertificate,
    #[error("there is no private key in PEM form")]
    NoKey,
    #[error("its key is none of RSA, which Entra ID wants")]
    NotRsa,
    #[error("its key does not sign: {0}")]
    Signing(String),
}

/// The token for `audience`, from certificate and key in PEM form, at `now` (seconds since 1970).
pub(super) fn assertion(
    pem: &Secret,
    client: &str,
    audience: &str,
    now: i64,
) -> Result<String, AssertionError> {
    let pem = pem.show().as_bytes();
    let certificate =
        CertificateDer::from_pem_slice(pem).map_err(|_no_pem| AssertionError::NoCertificate)?;
    let key = PrivateKeyDer::from_pem_slice(pem).map_err(|_no_pem| AssertionError::NoKey)?;
    let failed = |error: rustls::Error| AssertionError::Signing(error.to_string());
    let key = rustls::crypto::ring::sign::any_supported_type(&key).map_err(failed)?;
    let signer = key
        .choose_scheme(&[SignatureScheme::RSA_PSS_SHA256])
        .ok_or(AssertionError::NotRsa)?;
    let mut id = Sha256::new();
    id.update(pem);
    id.update(now.to_be_bytes());
    id.update(random());
    let header = json!({
        "alg": "PS256",
        "typ": "JWT",
        "x5t#S256": URL_SAFE_NO_PAD.encode(Sha256::digest(&certificate)),
    });
    let claims = json!({
        "aud": audience,
        "iss": client,
        "sub": client,
        "jti": URL_SAFE_NO_PAD.encode(id.finalize()),
        "nbf": now,
        "iat": now,
        "exp": now.saturating_add(SECONDS),
    });
    let encode = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", encode(header), encode(claims));
    let signature = signer.sign(text.as_bytes()).map_err(failed)?;
    Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// Tells two tokens of one second apart. Should the system give nothing, the time alone does.
fn random() -> [u8; 16] {
    let mut bytes = [0; 16];
    let provider = rustls::crypto::ring::default_provider();
    let _told = provider.secure_random.fill(&mut bytes);
    bytes
}
