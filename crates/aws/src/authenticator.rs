//! Codes of authenticator apps (TOTP).

use domain::secret::Secret;
use time::OffsetDateTime;
use totp_rs::Builder;

/// Returns the TOTP code for a Base32 secret at a given time: RFC 6238 with SHA-1, 30 seconds and 6 digits.
///
/// Returns `None` if the secret is malformed or shorter than 128 bits.
#[must_use]
pub fn authenticator_code(secret: &Secret, at: OffsetDateTime) -> Option<Secret> {
    let secret = totp_rs::Secret::try_from_base32(secret.expose()).ok()?;
    let authenticator = Builder::new().with_secret(secret).build().ok()?;
    let seconds = u64::try_from(at.unix_timestamp()).ok()?;
    Some(Secret::new(authenticator.generate(seconds).to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_rfc_6238() {
        // Appendix B of the RFC, without its first two digits. The secret is Base32 of `12345678901234567890`.
        let secret = Secret::new("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (2_000_000_000, "279037")] {
            let at = OffsetDateTime::from_unix_timestamp(seconds).unwrap();
            assert_eq!(authenticator_code(&secret, at).unwrap().expose(), code, "{seconds}");
        }
        for malformed in ["", "not base32!", "GEZDGNBV"] {
            assert!(authenticator_code(&Secret::new(malformed), OffsetDateTime::UNIX_EPOCH).is_none(), "{malformed}");
        }
    }
}
