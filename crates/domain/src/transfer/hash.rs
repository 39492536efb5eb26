//! The formats of password hashes that import jobs accept, with their upper bounds, from [Importing users into user pools
//! from a CSV file]. Other frameworks' spellings of these formats are converted.
//!
//! Cognito rejects the user of a malformed hash, but only after the upload. AWS does not document lower bounds, or the
//! lengths of salts and hashes.
//!
//! [Importing users into user pools from a CSV file]: https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-using-import-tool.html

use std::fmt::Write as _;
use std::ops::RangeInclusive;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::row::{Hash, RowError};
use crate::secret::Secret;
use crate::user_pool::import_jobs::HashAlgorithm;

const BCRYPT_COSTS: RangeInclusive<u32> = 4..=12;
const SCRYPT_N: RangeInclusive<u32> = 2..=65_536;
const SCRYPT_R: RangeInclusive<u32> = 1..=8;
const SCRYPT_P: RangeInclusive<u32> = 1..=1;
const ARGON2_MEMORY: RangeInclusive<u32> = 8..=19_456;
const ARGON2_TIME: RangeInclusive<u32> = 1..=2;
const ARGON2_PARALLELISM: RangeInclusive<u32> = 1..=1;
const PBKDF2_ITERATIONS: RangeInclusive<u32> = 1..=600_000;

/// The salt and hash of bcrypt, in its own base64.
const BCRYPT_CHARACTERS: usize = 53;

/// Returns the hash in the format of import jobs.
///
/// # Errors
///
/// Returns an error that names the field and contains no part of the hash.
pub(super) fn of_import_jobs(hash: &Hash) -> Result<Secret, RowError> {
    let text = hash.value.expose();
    let (field, checked) = match hash.algorithm {
        HashAlgorithm::Bcrypt => ("password.bcrypt", bcrypt(text)),
        HashAlgorithm::Scrypt => ("password.scrypt", scrypt(text)),
        HashAlgorithm::Argon2id => ("password.argon2id", argon2id(text)),
        HashAlgorithm::Pbkdf2Sha256 => ("password.pbkdf2_sha256", pbkdf2_sha256(text)),
    };
    checked.map(Secret::new).map_err(|problem| RowError::at(field, problem))
}

fn bcrypt(text: &str) -> Result<String, String> {
    const FORM: &str = "must have the form `$2b$COST$…`, with a cost of two digits and 53 characters of salt and hash";
    // Django's prefix of plain bcrypt. `bcrypt_sha256$` hashes the password before, so it is another function.
    let text = text.strip_prefix("bcrypt$").unwrap_or(text);
    let parts: Vec<&str> = text.split('$').collect();
    let ["", "2a" | "2b" | "2x" | "2y", cost, rest] = parts[..] else { return Err(FORM.to_owned()) };
    let is_bcrypt = |byte: u8| byte.is_ascii_alphanumeric() || b"./".contains(&byte);
    if cost.len() != 2 || rest.len() != BCRYPT_CHARACTERS || !rest.bytes().all(is_bcrypt) {
        return Err(FORM.to_owned());
    }
    within("cost", cost, &BCRYPT_COSTS)?;
    Ok(text.to_owned())
}

fn scrypt(text: &str) -> Result<String, String> {
    const FORM: &str = "must have the form `N$r$p$salt$hash`, with salt and hash in hexadecimal digits";
    // Werkzeug hashes with the bytes of a salt in text form.
    let converted = text.strip_prefix("scrypt:").and_then(|rest| {
        let (parameters, rest) = rest.split_once('$')?;
        let (salt, hash) = rest.split_once('$')?;
        let salt = hexadecimal(salt.as_bytes());
        Some(format!("{}${salt}${hash}", parameters.replace(':', "$")))
    });
    let text = converted.as_deref().unwrap_or(text);
    let parts: Vec<&str> = text.split('$').collect();
    let [n, r, p, salt, hash] = parts[..] else { return Err(FORM.to_owned()) };
    let is_hexadecimal = |text: &str| {
        !text.is_empty() && text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    if !is_hexadecimal(salt) || !is_hexadecimal(hash) {
        return Err(FORM.to_owned());
    }
    if !within("N", n, &SCRYPT_N)?.is_power_of_two() {
        return Err("N must be a power of two".to_owned());
    }
    within("r", r, &SCRYPT_R)?;
    within("p", p, &SCRYPT_P)?;
    Ok(text.to_owned())
}

fn argon2id(text: &str) -> Result<String, String> {
    const FORM: &str = "must have the form `$argon2id$v=19$m=…,t=…,p=…$salt$hash`, with salt and hash in base64 without \
                        padding";
    let parts: Vec<&str> = text.split('$').collect();
    let ["", "argon2id", "v=19", parameters, salt, hash] = parts[..] else { return Err(FORM.to_owned()) };
    let parameters: Vec<_> = parameters.split(',').map(|parameter| parameter.split_once('=')).collect();
    let [Some(("m", memory)), Some(("t", time)), Some(("p", parallelism))] = parameters[..] else {
        return Err(FORM.to_owned());
    };
    if !is_base64(salt) || !is_base64(hash) {
        return Err(FORM.to_owned());
    }
    within("m", memory, &ARGON2_MEMORY)?;
    within("t", time, &ARGON2_TIME)?;
    within("p", parallelism, &ARGON2_PARALLELISM)?;
    Ok(text.to_owned())
}

fn pbkdf2_sha256(text: &str) -> Result<String, String> {
    const FORM: &str = "must have the form `$pbkdf2-sha256$ITERATIONS$salt$hash`, with salt and hash in base64 without \
                        padding, or Django's form `pbkdf2_sha256$ITERATIONS$salt$hash`";
    // Django hashes with the bytes of a salt in text form.
    let converted = text.strip_prefix("pbkdf2_sha256$").and_then(|rest| {
        let parts: Vec<&str> = rest.split('$').collect();
        let [iterations, salt, hash] = parts[..] else { return None };
        let salt = STANDARD_NO_PAD.encode(salt);
        Some(format!("$pbkdf2-sha256${iterations}${salt}${}", hash.trim_end_matches('=')))
    });
    let text = converted.as_deref().unwrap_or(text);
    let parts: Vec<&str> = text.split('$').collect();
    let ["", "pbkdf2-sha256", iterations, salt, hash] = parts[..] else { return Err(FORM.to_owned()) };
    // passlib writes `.` for `+`. AWS does not document which of them it reads.
    if salt.contains('.') || hash.contains('.') {
        return Err("must be in standard base64; whether Cognito reads passlib's `.` is not documented".to_owned());
    }
    if !is_base64(salt) || !is_base64(hash) {
        return Err(FORM.to_owned());
    }
    within("iterations", iterations, &PBKDF2_ITERATIONS)?;
    Ok(text.to_owned())
}

fn is_base64(text: &str) -> bool {
    STANDARD_NO_PAD.decode(text).is_ok_and(|bytes| !bytes.is_empty())
}

/// Parses a decimal number without sign and, except in a bcrypt cost, without leading zeros.
fn within(name: &str, text: &str, bounds: &RangeInclusive<u32>) -> Result<u32, String> {
    let digits = if name == "cost" { text } else { text.strip_prefix('0').map_or(text, |_| "") };
    let is_decimal = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.parse().ok().filter(|number| is_decimal && bounds.contains(number));
    number.ok_or_else(|| match (bounds.start(), bounds.end()) {
        (first, last) if first == last => format!("{name} must be {first}"),
        (first, last) => format!("{name} must be {first}–{last}"),
    })
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(algorithm: HashAlgorithm, text: &str) -> Result<String, String> {
        let hash = Hash { algorithm, value: Secret::new(text) };
        let checked = of_import_jobs(&hash).map(|hash| hash.expose().to_owned());
        checked.map_err(|error| error.to_string())
    }

    /// The examples of AWS's guide, and hashes of other common parameters.
    #[test]
    fn accepts_the_documented_forms_unchanged() {
        use HashAlgorithm::{Argon2id, Bcrypt, Pbkdf2Sha256, Scrypt};
        for (algorithm, text) in [
            (Bcrypt, "$2b$10$CtA.Rcu/szzn9U00wpUjOuN3vrgJRZycv4aOzcP3GzqzO8UDPEFq6"),
            (Bcrypt, "$2y$12$CtA.Rcu/szzn9U00wpUjOuN3vrgJRZycv4aOzcP3GzqzO8UDPEFq6"),
            (Bcrypt, "$2a$04$CtA.Rcu/szzn9U00wpUjOuN3vrgJRZycv4aOzcP3GzqzO8UDPEFq6"),
            (Scrypt, "65536$8$1$304dbaef7c5e828dc19c98f0600d18fe$4f69c498"),
            (Scrypt, "16384$8$1$304DBAEF$4f69"),
            (
                Argon2id,
                "$argon2id$v=19$m=19456,t=2,p=1$ko/G5o1ms+ML08P95sQ8DA$AkVbvWSOqz7Hs3qthhWKxicOWnGLN+MBmpwc3emi5VA",
            ),
            (Pbkdf2Sha256, "$pbkdf2-sha256$600000$1XZlmwLQ2hhM3JYuCPiArQ$Pfheg9Zi/v5lXU4yyLA0WFUYEd/rlaVbzrM9oMD6IrA"),
        ] {
            assert_eq!(check(algorithm, text), Ok(text.to_owned()));
        }
    }

    /// The hashes are of the password `Correct-horse-1`, from Python's `hashlib.pbkdf2_hmac('sha256', password,
    /// salt.encode(), 600000)` and `hashlib.scrypt(password, salt=salt.encode(), n=32768, r=8, p=1)`. Django and Werkzeug
    /// encode them in these forms. The bytes of salt and hash are unchanged.
    #[test]
    fn converts_the_spellings_of_django_and_werkzeug() {
        for (algorithm, text, expected) in [
            (
                HashAlgorithm::Pbkdf2Sha256,
                "pbkdf2_sha256$600000$lQZe5Uz4OtlDKh8Rp2YwXa$66pKQ3Em1EnMu5SA1xBhgesyL9oP4KA+PmAX6B7h7ro=",
                "$pbkdf2-sha256$600000$bFFaZTVVejRPdGxES2g4UnAyWXdYYQ$66pKQ3Em1EnMu5SA1xBhgesyL9oP4KA+PmAX6B7h7ro",
            ),
            (
                HashAlgorithm::Scrypt,
                "scrypt:32768:8:1$pW9sQ2kLmZx0TbVn$342b5a6ad13d5a33a6cbd257a22561a52820e6ad837deddc9ba8d6f39d356fbc0decaf2ac4ef0df3965f82f06e48c7ebc3133384a610973357494613973a43c2",
                "32768$8$1$7057397351326b4c6d5a78305462566e$342b5a6ad13d5a33a6cbd257a22561a52820e6ad837deddc9ba8d6f39d356fbc0decaf2ac4ef0df3965f82f06e48c7ebc3133384a610973357494613973a43c2",
            ),
            (
                HashAlgorithm::Bcrypt,
                "bcrypt$$2b$12$CtA.Rcu/szzn9U00wpUjOuN3vrgJRZycv4aOzcP3GzqzO8UDPEFq6",
                "$2b$12$CtA.Rcu/szzn9U00wpUjOuN3vrgJRZycv4aOzcP3GzqzO8UDPEFq6",
            ),
        ] {
            assert_eq!(check(algorithm, text), Ok(expected.to_owned()));
        }
    }

    #[test]
    fn rejects_other_forms_and_higher_parameters() {
        use HashAlgorithm::{Argon2id, Bcrypt, Pbkdf2Sha256, Scrypt};
        let bcrypt_rest = "CtA.Rcu/szzn9U00wpUjOuN3vrgJRZycv4aOzcP3GzqzO8UDPEFq6";
        for (algorithm, text, expected) in [
            (Bcrypt, format!("$2b$13${bcrypt_rest}"), "password.bcrypt: cost must be 4–12"),
            (Bcrypt, format!("$2b$03${bcrypt_rest}"), "password.bcrypt: cost must be 4–12"),
            (Bcrypt, format!("$2b$9${bcrypt_rest}"), "password.bcrypt: must have the form"),
            (Bcrypt, format!("$2b$+9${bcrypt_rest}"), "password.bcrypt: cost must be"),
            (Bcrypt, format!("$2c$10${bcrypt_rest}"), "password.bcrypt: must have the form"),
            (Bcrypt, format!("$2b$10${bcrypt_rest}x"), "password.bcrypt: must have the form"),
            (Bcrypt, format!("$2b$10${}", bcrypt_rest.replace('/', ",")), "password.bcrypt: must have the form"),
            (Bcrypt, format!("bcrypt_sha256$$2b$12${bcrypt_rest}"), "password.bcrypt: must have the form"),
            (Bcrypt, String::new(), "password.bcrypt: must have the form"),
            (Scrypt, "131072$8$1$aa$aa".to_owned(), "password.scrypt: N must be 2–65536"),
            (Scrypt, "65535$8$1$aa$aa".to_owned(), "password.scrypt: N must be a power of two"),
            (Scrypt, "65536$9$1$aa$aa".to_owned(), "password.scrypt: r must be 1–8"),
            (Scrypt, "65536$8$2$aa$aa".to_owned(), "password.scrypt: p must be 1"),
            (Scrypt, "65536$8$1$a$aa".to_owned(), "password.scrypt: must have the form"),
            (Scrypt, "65536$8$1$aa$".to_owned(), "password.scrypt: must have the form"),
            (Scrypt, "scrypt:131072:8:1$salt$aa".to_owned(), "password.scrypt: N must be"),
            (Argon2id, argon2("m=19457,t=2,p=1"), "password.argon2id: m must be 8–19456"),
            (Argon2id, argon2("m=19456,t=3,p=1"), "password.argon2id: t must be 1–2"),
            (Argon2id, argon2("m=19456,t=2,p=2"), "password.argon2id: p must be 1"),
            (Argon2id, argon2("m=019456,t=2,p=1"), "password.argon2id: m must be"),
            (Argon2id, argon2("t=2,m=19456,p=1"), "password.argon2id: must have the form"),
            (Argon2id, argon2("m=19456,t=2,p=1").replace("v=19", "v=16"), "password.argon2id: must have the form"),
            (Argon2id, argon2("m=19456,t=2,p=1").replace("2id", "2i"), "password.argon2id: must have the form"),
            (Argon2id, argon2("m=19456,t=2,p=1") + "==", "password.argon2id: must have the form"),
            (Pbkdf2Sha256, "$pbkdf2-sha256$600001$AA$AA".to_owned(), "password.pbkdf2_sha256: iterations must be"),
            (Pbkdf2Sha256, "pbkdf2_sha256$720000$salt$AA==".to_owned(), "password.pbkdf2_sha256: iterations must be"),
            (Pbkdf2Sha256, "$pbkdf2-sha512$600000$AA$AA".to_owned(), "password.pbkdf2_sha256: must have the form"),
            (Pbkdf2Sha256, "$pbkdf2-sha256$29000$A.A$AA".to_owned(), "password.pbkdf2_sha256: must be in standard"),
            (Pbkdf2Sha256, "$pbkdf2-sha256$29000$$AA".to_owned(), "password.pbkdf2_sha256: must have the form"),
        ] {
            let error = check(algorithm, &text).unwrap_err();
            assert!(error.starts_with(expected), "{text}: {error}");
            assert!(!error.contains("CtA") && !error.contains("131072"), "{error}");
        }
    }

    fn argon2(parameters: &str) -> String {
        format!("$argon2id$v=19${parameters}$ko/G5o1ms+ML08P95sQ8DA$AkVbvWSOqz7Hs3qthhWKxg")
    }
}
