//! The server's side of SCRAM (RFC 5802) with SHA-256 (RFC 7677) and SHA-512.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest as _, Sha256, Sha512};

const SALT: &[u8] = b"not secret";
const ROUNDS: u32 = 4_096;
const NONCE: &str = "3rfcNHYJY1ZVvWVs7j";

/// What is hashed by.
#[derive(Clone, Copy)]
pub(super) enum Hash {
    Sha256,
    Sha512,
}

impl Hash {
    /// How the mechanism is called.
    pub(super) fn mechanism(self) -> &'static str {
        match self {
            Self::Sha256 => "SCRAM-SHA-256",
            Self::Sha512 => "SCRAM-SHA-512",
        }
    }

    fn of(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }

    /// HMAC (RFC 2104).
    fn keyed(self, key: &[u8], text: &[u8]) -> Vec<u8> {
        let block = match self {
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        };
        let mut padded = if key.len() > block {
            self.of(key)
        } else {
            key.to_vec()
        };
        padded.resize(block, 0);
        let with = |byte: u8, text: &[u8]| {
            let mut all: Vec<u8> = padded.iter().map(|one| one ^ byte).collect();
            all.extend_from_slice(text);
            self.of(&all)
        };
        with(0x5c, &with(0x36, text))
    }

    /// PBKDF2 (RFC 8018) with one block.
    fn salted(self, password: &str) -> Vec<u8> {
        let first = [SALT, &1_u32.to_be_bytes()].concat();
        let mut block = self.keyed(password.as_bytes(), &first);
        let mut sum = block.clone();
        for _ in 1..ROUNDS {
            block = self.keyed(password.as_bytes(), &block);
            sum.iter_mut()
                .zip(&block)
                .for_each(|(sum, byte)| *sum ^= byte);
        }
        sum
    }
}

/// One who wants in.
pub(super) struct Exchange {
    hash: Hash,
    nonce: String,
    /// What both have said.
    said: String,
}

impl Exchange {
    /// Answers the first message; nothing, if it is of somebody else.
    pub(super) fn begin(hash: Hash, first: &[u8], user: &str) -> Option<(Self, Vec<u8>)> {
        let first = std::str::from_utf8(first).ok()?;
        let bare = first.strip_prefix("n,,")?;
        let (name, nonce) = bare.split_once(",r=")?;
        if name.strip_prefix("n=")? != user {
            return None;
        }
        let nonce = format!("{nonce}{NONCE}");
        let salt = BASE64_STANDARD.encode(SALT);
        let answer = format!("r={nonce},s={salt},i={ROUNDS}");
        let said = format!("{bare},{answer}");
        Some((Self { hash, nonce, said }, answer.into_bytes()))
    }

    /// Answers the last message; nothing, if the password is another.
    pub(super) fn end(self, last: &[u8], password: &str) -> Option<Vec<u8>> {
        let last = std::str::from_utf8(last).ok()?;
        let (without_proof, proof) = last.rsplit_once(",p=")?;
        if without_proof != format!("c=biws,r={}", self.nonce) {
            return None;
        }
        let proof = BASE64_STANDARD.decode(proof).ok()?;
        let said = format!("{},{without_proof}", self.said);
        let hash = self.hash;
        let salted = hash.salted(password);
        let client_key = hash.keyed(&salted, b"Client Key");
        let signature = hash.keyed(&hash.of(&client_key), said.as_bytes());
        let shown: Vec<u8> = proof.iter().zip(signature).map(|(a, b)| a ^ b).collect();
        if shown != client_key {
            return None;
        }
        let server = hash.keyed(&hash.keyed(&salted, b"Server Key"), said.as_bytes());
        Some(format!("v={}", BASE64_STANDARD.encode(server)).into_bytes())
    }
}
