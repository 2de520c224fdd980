//! Random secrets: session cookies, one-time links, API tokens. The store sees only their hashes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// A fresh secret of 256 random bits, with the hash under which it is stored.
///
/// SHA-256 is enough here, unlike for passwords: 256 random bits cannot be guessed.
pub(crate) struct Secret {
    /// What the owner gets, once.
    pub(crate) text: String,
    /// What the store keeps.
    pub(crate) hash: [u8; 32],
}

impl Secret {
    /// A secret from the operating system's random source; `prefix` lets people and secret scanners
    /// recognise what leaked.
    pub(crate) fn generate(prefix: &str) -> Result<Self, getrandom::Error> {
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes)?;
        let text = format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes));
        let hash = hash(&text);
        Ok(Self { text, hash })
    }
}

/// The hash under which the secret `text` is stored.
pub(crate) fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_are_found_by_their_hash() {
        let (a, b) = (
            Secret::generate("srv_").unwrap(),
            Secret::generate("srv_").unwrap(),
        );
        assert_ne!(a.text, b.text);
        assert_eq!(a.text.len(), 4 + 43);
        assert_eq!(hash(&a.text), a.hash);
    }
}
