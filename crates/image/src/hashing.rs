//! Digests of bytes as they stream by.

use seareeve_model::Digest;
use sha2::Digest as _;

/// A running digest in the algorithm of the digest it will be compared with.
#[derive(Clone)]
pub(crate) enum Hasher {
    Sha256(sha2::Sha256),
    Sha512(sha2::Sha512),
}

impl Hasher {
    /// For comparison with `expected`; SHA-256, the default of OCI, without one.
    pub(crate) fn for_comparison(expected: Option<&Digest>) -> Self {
        match expected.map(Digest::algorithm) {
            Some("sha512") => Self::Sha512(sha2::Sha512::new()),
            Some(_) | None => Self::Sha256(sha2::Sha256::new()),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    pub(crate) fn finish(self) -> Digest {
        match self {
            Self::Sha256(hasher) => Digest::sha256(&hasher.finalize().into()),
            Self::Sha512(hasher) => {
                use std::fmt::Write as _;
                let mut text = String::from("sha512:");
                for byte in hasher.finalize() {
                    // Writing to a String cannot fail.
                    let _ = write!(text, "{byte:02x}");
                }
                text.parse().expect("128 lower-case hexadecimal digits")
            }
        }
    }
}

/// The digest of `bytes` in the algorithm of `expected`.
pub(crate) fn digest_like(expected: Option<&Digest>, bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::for_comparison(expected);
    hasher.update(bytes);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_algorithm_of_the_expected_digest() {
        // FIPS 180-4 examples for "abc".
        let sha512 = "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
                      2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
        let expected: Digest = sha512.parse().unwrap();
        assert_eq!(digest_like(Some(&expected), b"abc"), expected);
        assert_eq!(
            digest_like(None, b"abc").as_str(),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
