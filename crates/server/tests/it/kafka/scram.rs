//! The server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest as _, Sha256};

const SALT: &[u8] = b"not secret";
const ROUNDS: u32 = 4_096;
const NONCE: &str = "3rfcNHYJY1ZVvWVs7j";

/// One who wants in.
pub(super) struct Exchange {
    nonce: String,
    /// What both have said.
    said: String,
}

impl Exchange {
    /// Answers the first message; nothing, if it is of somebody else.
    pub(super) fn begin(first: &[u8], user: &str) -> Option<(Self, Vec<u8>)> {
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
        Some((Self { nonce, said }, answer.into_bytes()))
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
        let salted = salted(password);
        let client_key = hmac(&salted, b"Client Key");
        let signature = hmac(&Sha256::digest(client_key), said.as_bytes());
        let shown: Vec<u8> = proof.iter().zip(signature).map(|(a, b)| a ^ b).collect();
        if shown != client_key {
            return None;
        }
        let server = hmac(&hmac(&salted, b"Server Key"), said.as_bytes());
        Some(format!("v={}", BASE64_STANDARD.encode(server)).into_bytes())
    }
}

fn salted(password: &str) -> [u8; 32] {
    let mut block = hmac(password.as_bytes(), &[SALT, &1_u32.to_be_bytes()].concat());
    let mut sum = block;
    for _ in 1..ROUNDS {
        block = hmac(password.as_bytes(), &block);
        sum.iter_mut()
            .zip(block)
            .for_each(|(sum, byte)| *sum ^= byte);
    }
    sum
}

/// HMAC (RFC 2104).
fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut padded = [0; 64];
    if key.len() > padded.len() {
        padded[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        padded[..key.len()].copy_from_slice(key);
    }
    let inner = Sha256::new()
        .chain_update(padded.map(|byte| byte ^ 0x36))
        .chain_update(text)
        .finalize();
    let outer = Sha256::new()
        .chain_update(padded.map(|byte| byte ^ 0x5c))
        .chain_update(inner)
        .finalize();
    outer.into()
}
