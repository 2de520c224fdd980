//! What a regular expression cannot say of a candidate: checksums, what is inside of base64, whether a value
//! can be one at all. A rule names its check in `check:`.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;

use super::assignment;
use super::placeholders::Placeholders;

/// Base64 in both alphabets, with or without padding: what people paste has lost it often enough.
const LAX: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_allow_trailing_bits(true)
    .with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LAX);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LAX);

/// The named checks.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Check {
    /// A value assigned in text that anyone wrote: neither a word, nor code, nor a reference to something.
    Assignment,
    /// Base64 of `user:password`.
    BasicAuth,
    /// Base64 of a Docker configuration with credentials.
    DockerConfig,
    /// A Discord bot token: its first part is base64 of a number.
    Discord,
    /// A token of GitHub or npm whose last six characters are the CRC-32 of those before, in base 62.
    GithubChecksum,
    /// A JSON Web Token: header and payload are JSON, and it is signed.
    Jwt,
    /// Letters and digits are both there, as in all random text and in few identifiers.
    Mixed,
    /// An OpenSSH key protected by a passphrase.
    OpensshEncrypted,
    /// An OpenSSH key that is not.
    OpensshPlain,
    /// A password at a place that is for nothing else: no variable, file or placeholder.
    Password,
    /// A PEM block whose base64 is DER.
    Pem,
    /// Base64 of a PEM block with a private key.
    PemInBase64,
    /// A PyPI token: base64 of a macaroon (version 2) for the index or its test instance.
    PypiMacaroon,
}

/// A candidate and what stands around it.
#[derive(Clone, Copy)]
pub(super) struct Candidate<'a> {
    pub(super) secret: &'a [u8],
    /// Some bytes before the secret.
    pub(super) lead: &'a [u8],
    /// The byte after it.
    pub(super) after: Option<u8>,
}

impl Check {
    /// Whether the candidate passes.
    pub(super) fn passes(self, candidate: Candidate<'_>, placeholders: &Placeholders) -> bool {
        let secret = candidate.secret;
        match self {
            Self::Assignment => assignment::plausible(candidate, placeholders),
            Self::BasicAuth => basic_auth(secret, placeholders),
            Self::DockerConfig => decode(secret).is_some_and(|json| contains(&json, b"\"auth")),
            Self::Discord => discord(secret),
            Self::GithubChecksum => github_checksum(secret),
            Self::Jwt => jwt(secret),
            Self::Mixed => {
                secret.iter().any(u8::is_ascii_digit) && secret.iter().any(u8::is_ascii_alphabetic)
            }
            Self::OpensshEncrypted => openssh_cipher(secret).is_some_and(|name| name != b"none"),
            Self::OpensshPlain => openssh_cipher(secret).is_some_and(|name| name == b"none"),
            Self::Password => assignment::literal(candidate, placeholders),
            Self::Pem => pem(secret),
            Self::PemInBase64 => {
                decode(secret).is_some_and(|text| contains(&text, b"PRIVATE KEY-----"))
            }
            Self::PypiMacaroon => pypi(secret),
        }
    }
}

/// Shannon's entropy of the bytes, in bits per byte.
#[expect(
    clippy::cast_precision_loss,
    reason = "a secret has less than 2^52 bytes"
)]
pub(super) fn entropy(secret: &[u8]) -> f64 {
    let mut counts = [0_usize; 256];
    for byte in secret {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    let total = secret.len() as f64;
    let share = |count: &usize| *count as f64 / total;
    let occurring = counts.iter().filter(|count| **count > 0).map(share);
    occurring.map(|share| -share * share.log2()).sum()
}

pub(super) fn contains(text: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(text, part).is_some()
}

/// Decodes base64 in either alphabet, passing over white space and escaped line ends.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            // A JSON or shell string: `\n` in two bytes.
            b'\\' => {
                bytes.next_if(|next| matches!(next, b'n' | b'r'));
            }
            b' ' | b'\t' | b'\r' | b'\n' | b'"' | b'\'' | b',' => {}
            byte => plain.push(byte),
        }
    }
    let url_safe = plain.iter().any(|byte| matches!(byte, b'-' | b'_'));
    let engine = if url_safe { &URL_SAFE } else { &STANDARD };
    engine.decode(&plain).ok()
}

/// <https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/>: the
/// digits are 0-9, A-Z, a-z, the checksum is that of what stands between the prefix and itself.
fn github_checksum(token: &[u8]) -> bool {
    let Some(prefix) = token.iter().position(|byte| *byte == b'_') else {
        return false;
    };
    let body = token.get(prefix + 1..).unwrap_or_default();
    let Some((random, checksum)) = body
        .len()
        .checked_sub(6)
        .and_then(|at| body.split_at_checked(at))
    else {
        return false;
    };
    let mut rest = crc32(random);
    for digit in checksum.iter().rev() {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'A'..=b'Z' => digit - b'A' + 10,
            b'a'..=b'z' => digit - b'a' + 36,
            _ => return false,
        };
        if rest % 62 != u32::from(value) {
            return false;
        }
        rest /= 62;
    }
    rest == 0
}

/// CRC-32 of IEEE 802.3, bit by bit: it sees thirty bytes at a time.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
    !bytes.iter().fold(!0, |crc: u32, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc))
    })
}

/// RFC 7519 with a signature (RFC 7515 section 7.1); `none` is for what needs no protection.
fn jwt(token: &[u8]) -> bool {
    let mut parts = token.split(|byte| *byte == b'.');
    let mut json = || -> Option<serde_json::Map<String, serde_json::Value>> {
        serde_json::from_slice(&decode(parts.next()?)?).ok()
    };
    let (Some(header), Some(_payload)) = (json(), json()) else {
        return false;
    };
    let algorithm = header.get("alg").and_then(|value| value.as_str());
    algorithm.is_some_and(|name| !name.eq_ignore_ascii_case("none"))
        && parts.next().is_some_and(|signature| signature.len() >= 20)
}

/// RFC 7617. Docker's `auth` has the same form.
fn basic_auth(encoded: &[u8], placeholders: &Placeholders) -> bool {
    let Some(plain) = decode(encoded) else {
        return false;
    };
    if !plain.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        return false;
    }
    let Some(colon) = plain.iter().position(|byte| *byte == b':') else {
        return false;
    };
    let secret = plain.get(colon + 1..).unwrap_or_default();
    let candidate = Candidate {
        secret,
        lead: &[],
        after: None,
    };
    colon > 0 && assignment::literal(candidate, placeholders)
}

/// The first part of a bot token is the bot's id, a decimal number of 17 to 20 digits.
fn discord(token: &[u8]) -> bool {
    let first = token.split(|byte| *byte == b'.').next();
    first
        .and_then(decode)
        .is_some_and(|id| (17..=20).contains(&id.len()) && id.iter().all(u8::is_ascii_digit))
}

/// What stands between the lines `-----BEGIN …-----` and `-----END …`, without header fields (RFC 1421).
fn pem_body(block: &[u8]) -> &[u8] {
    let begin = memchr::memmem::find(block, b"KEY-----").map_or(0, |at| at + b"KEY-----".len());
    let body = block.get(begin..).unwrap_or_default();
    // Header fields end with an empty line.
    let fields = memchr::memmem::rfind(body, b": ").and_then(|at| {
        let rest = body.get(at..)?;
        let line = memchr::memchr2(b'\n', b'\\', rest)?;
        Some(at + line)
    });
    let body = body.get(fields.unwrap_or(0)..).unwrap_or_default();
    let end = memchr::memmem::find(body, b"-----").unwrap_or(body.len());
    body.get(..end).unwrap_or_default()
}

/// PKCS #1, PKCS #8 and SEC 1 keys are all one DER sequence, of 48 bytes (Ed25519) and more.
fn pem(block: &[u8]) -> bool {
    decode(pem_body(block)).is_some_and(|der| der.len() >= 32 && der.first() == Some(&0x30))
}

/// The cipher's name, from the file format `PROTOCOL.key` of OpenSSH.
fn openssh_cipher(block: &[u8]) -> Option<Vec<u8>> {
    let key = decode(pem_body(block))?;
    let rest = key.strip_prefix(b"openssh-key-v1\0")?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    rest.get(..length).map(<[u8]>::to_vec)
}

/// The macaroon's location field (type 1) names the index: libmacaroons' binary format, version 2.
fn pypi(token: &[u8]) -> bool {
    let Some(macaroon) = token.strip_prefix(b"pypi-").and_then(decode) else {
        return false;
    };
    let Some(([2, 1, length], rest)) = macaroon.split_first_chunk::<3>() else {
        return false;
    };
    let location = rest.get(..usize::from(*length)).unwrap_or_default();
    location.ends_with(b".org") && contains(location, b"pypi")
}
