//! E-mail addresses, split at the last `@` into local part and domain.
//!
//! Ambiguous addresses and addresses with invisible characters are rejected, not repaired.

use std::fmt;

use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup};
use icu_properties::{CodePointMapData, CodePointSetData};
use thiserror::Error;

use super::domain_list::Domain;

/// The maximum length of an address in bytes (RFC 5321, section 4.5.3.1.3, without the angle brackets).
pub const MAX_ADDRESS_BYTES: usize = 254;

/// The braille pattern without dots, which looks like a space but is a symbol in Unicode.
const EMPTY_BRAILLE_PATTERN: char = '\u{2800}';

/// An e-mail address in its normal form, in which spellings of one mailbox are equal.
///
/// The domain is in its ASCII form. In the local part only A to Z become lowercase, because folding other letters could
/// merge two mailboxes (the Kelvin sign would become `k`). Mail servers, and Cognito in pools that are not
/// case-sensitive, treat `Mia@` and `mia@` as equal.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress {
    local_part: String,
    domain: Domain,
}

/// The text is not an unambiguous e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be an e-mail address, e.g. mia@example.com")]
pub struct InvalidEmailAddress;

impl EmailAddress {
    /// Returns the domain.
    #[must_use]
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// Returns the address with its domain in Unicode.
    #[must_use]
    pub fn with_unicode_domain(&self) -> String {
        format!("{}@{}", self.local_part, self.domain.to_unicode())
    }
}

impl std::str::FromStr for EmailAddress {
    type Err = InvalidEmailAddress;

    fn from_str(text: &str) -> Result<Self, InvalidEmailAddress> {
        if text.chars().any(is_invisible) {
            return Err(InvalidEmailAddress);
        }
        let (local_part, domain) = text.rsplit_once('@').ok_or(InvalidEmailAddress)?;
        // An encoded word (RFC 2047) can decode to a different address.
        if local_part.is_empty() || !local_part.chars().all(is_plain) || local_part.contains("=?") {
            return Err(InvalidEmailAddress);
        }
        let domain = domain.parse().map_err(|_| InvalidEmailAddress)?;
        let address = Self { local_part: local_part.to_ascii_lowercase(), domain };
        // The ASCII form of the domain can be longer than the input.
        if address.to_string().len() > MAX_ADDRESS_BYTES { Err(InvalidEmailAddress) } else { Ok(address) }
    }
}

/// Writes the normal form: an ASCII domain, and A to Z in lowercase.
impl fmt::Display for EmailAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}@{}", self.local_part, self.domain)
    }
}

/// Omits the address, which is personal data.
impl fmt::Debug for EmailAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("EmailAddress(…)")
    }
}

/// Whether a character has no special meaning in the local part. Excludes characters that RFC 5321 requires to be
/// quoted, because some parsers read a second `@`, a comma or brackets as another address. Also excludes `!` and `%`,
/// which were used for mail routing.
fn is_plain(character: char) -> bool {
    !character.is_ascii() || character.is_ascii_alphanumeric() || "#$&'*+-./=?^_`{|}~".contains(character)
}

/// Whether a character is whitespace, a control character, unassigned, or without a shape of its own.
fn is_invisible(character: char) -> bool {
    if character.is_ascii() {
        return !character.is_ascii_graphic();
    }
    let category = CodePointMapData::<GeneralCategory>::new().get(character);
    GeneralCategoryGroup::Separator.contains(category)
        || GeneralCategoryGroup::Other.contains(category)
        || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(character)
        || character == EMPTY_BRAILLE_PATTERN
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(text: &str) -> Option<String> {
        text.parse().ok().map(|address: EmailAddress| address.to_string())
    }

    #[test]
    fn spellings_of_one_mailbox_are_equal() {
        for (text, expected) in [
            ("mia@example.com", "mia@example.com"),
            ("Mia.Muster+news@EXAMPLE.com", "mia.muster+news@example.com"),
            ("mia@Bücher.example", "mia@xn--bcher-kva.example"),
            ("mia@xn--bcher-kva.example", "mia@xn--bcher-kva.example"),
            ("mia@example。com", "mia@example.com"),
            ("mia@ｅｘａｍｐｌｅ.com", "mia@example.com"),
            ("mia@straße.example", "mia@xn--strae-oqa.example"),
            ("#$&'*+-./?=^_`{|}~@example.com", "#$&'*+-./?=^_`{|}~@example.com"),
            ("müller@example.com", "müller@example.com"),
        ] {
            assert_eq!(normal(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn letters_outside_ascii_are_not_folded() {
        // U+212A is the Kelvin sign, whose lowercase form is `k`; U+0130 is an uppercase i with a dot.
        for (one, other) in
            [("mi\u{212A}e@example.com", "mike@example.com"), ("m\u{130}a@example.com", "mia@example.com")]
        {
            assert_ne!(normal(one), normal(other));
            assert!(normal(one).is_some() && normal(other).is_some(), "{one}");
        }
    }

    #[test]
    fn rejects_ambiguous_and_malformed_addresses() {
        let long = format!("{}@example.com", "a".repeat(MAX_ADDRESS_BYTES - 11));
        // Short in Unicode, too long in ASCII.
        let long_in_ascii = format!("{}@{}example", "a".repeat(60), "ä.".repeat(40));
        for text in [
            "",
            "mia",
            "example.com",
            "@example.com",
            "mia@",
            "mia@evil.example@example.com",
            "\"mia@evil.example\"@example.com",
            "\"a\"@evil.example,\"b\"@example.com",
            "\"x\"<mia@evil.example>,\"y\"@example.com",
            "<mia@example.com",
            "mia,kim@example.com",
            "mia(kim)@example.com",
            "mia;kim@example.com",
            "group:mia@example.com",
            "mia\\@example.com",
            "mia%evil.example@example.com",
            "evil.example!mia@example.com",
            "=?utf-8?q?mia=40evil.example=3e?=@example.com",
            "mia@.example.com",
            "mia@example..com",
            "mia@example.com.",
            "mia@-example.com",
            "mia@example.com>",
            "mia@[192.0.2.1]",
            "mia@exa_mple.com",
            "mia@xn--a.example",
            "mia@example.com＠evil.example",
            &long,
            &long_in_ascii,
        ] {
            assert_eq!(normal(text), None, "{text}");
        }
    }

    #[test]
    fn rejects_invisible_characters() {
        let invisible = [
            ' ',
            '\t',
            '\n',
            '\0',
            '\u{7f}',
            '\u{85}',
            '\u{a0}',
            '\u{ad}',
            '\u{34f}',
            '\u{61c}',
            '\u{115f}',
            '\u{180e}',
            '\u{2003}',
            '\u{200b}',
            '\u{200d}',
            '\u{200e}',
            '\u{2028}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{2800}',
            '\u{3000}',
            '\u{3164}',
            '\u{e000}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{ffa0}',
            '\u{ffff}',
            '\u{e0041}',
            '\u{e0100}',
            '\u{10ffff}',
        ];
        for character in invisible {
            for text in [
                format!("mi{character}a@example.com"),
                format!("mia@exa{character}mple.com"),
                format!("{character}mia@example.com"),
                format!("mia@example.com{character}"),
            ] {
                assert_eq!(normal(&text), None, "{text:?}");
            }
        }
    }

    #[test]
    fn debug_output_omits_the_address() {
        let address: EmailAddress = "mia@example.com".parse().unwrap();
        assert!(!format!("{address:?}").contains("mia"));
    }
}
