//! E-mail addresses, as far as a rule has to read them: what stands before the last `@`, and the domain behind it.
//!
//! An address that could be read in two ways, or that shows something else than it holds, is none here. Nothing is left out or repaired.

use std::fmt;

use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup};
use icu_properties::{CodePointMapData, CodePointSetData};
use thiserror::Error;

use super::domain_list::Domain;

/// The most that an address can have, in bytes: what fits into the `MAIL FROM` of RFC 5321 (section 4.5.3.1.3, without the brackets).
pub const MAX_ADDRESS_BYTES: usize = 254;

/// Looks like a blank and is a symbol to Unicode: the braille pattern without dots.
const BRAILLE_BLANK: char = '\u{2800}';

/// An e-mail address in its normal form: two spellings of one mailbox are equal.
///
/// The domain is in its ASCII form. Of the part before it only A to Z become small: for other letters that is no mere matter of
/// spelling (the Kelvin sign would become a `k`), so two mailboxes could become one. That `Mia@` and `mia@` are one mailbox is
/// what practically every mail server says, and what Cognito says in a pool that is not case-sensitive.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress {
    local_part: String,
    domain: Domain,
}

/// The text is no e-mail address that a rule can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("expected an e-mail address, e.g. mia@example.com")]
pub struct NotAnAddress;

impl EmailAddress {
    /// What stands after the last `@`.
    #[must_use]
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// The same address with its domain in Unicode, as people write it.
    #[must_use]
    pub fn with_unicode_domain(&self) -> String {
        format!("{}@{}", self.local_part, self.domain.to_unicode())
    }
}

impl std::str::FromStr for EmailAddress {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        if text.chars().any(is_invisible) {
            return Err(NotAnAddress);
        }
        let (local_part, domain) = text.rsplit_once('@').ok_or(NotAnAddress)?;
        // An encoded word (RFC 2047) may say something else than what it looks like, to whoever decodes it.
        if local_part.is_empty() || !local_part.chars().all(is_plain) || local_part.contains("=?") {
            return Err(NotAnAddress);
        }
        let domain = domain.parse().map_err(|_| NotAnAddress)?;
        let address = Self { local_part: local_part.to_ascii_lowercase(), domain };
        // The domain may be longer in ASCII than it was typed.
        if address.to_string().len() > MAX_ADDRESS_BYTES { Err(NotAnAddress) } else { Ok(address) }
    }
}

/// The normal form: the ASCII form of the domain, and A to Z small.
impl fmt::Display for EmailAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}@{}", self.local_part, self.domain)
    }
}

/// Without the address: it is somebody's.
impl fmt::Debug for EmailAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("EmailAddress(…)")
    }
}

/// Whether a character stands for itself wherever it is in front of the `@`. What RFC 5321 wants quoted does not: with a second `@`, or with a
/// comma or brackets, an address is several, or another one, to some. Nor do `!` and `%`, which have routed mail on.
fn is_plain(character: char) -> bool {
    !character.is_ascii() || character.is_ascii_alphanumeric() || "#$&'*+-./=?^_`{|}~".contains(character)
}

/// Blanks, control characters, what has no shape or none yet, and what only changes how its neighbors look.
fn is_invisible(character: char) -> bool {
    if character.is_ascii() {
        return !character.is_ascii_graphic();
    }
    let category = CodePointMapData::<GeneralCategory>::new().get(character);
    GeneralCategoryGroup::Separator.contains(category)
        || GeneralCategoryGroup::Other.contains(category)
        || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(character)
        || character == BRAILLE_BLANK
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
    fn letters_beyond_ascii_keep_two_mailboxes_apart() {
        // U+212A is the Kelvin sign, whose small form is a plain k; U+0130 is a capital i with a dot.
        for (one, other) in
            [("mi\u{212A}e@example.com", "mike@example.com"), ("m\u{130}a@example.com", "mia@example.com")]
        {
            assert_ne!(normal(one), normal(other));
            assert!(normal(one).is_some() && normal(other).is_some(), "{one}");
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_or_not_at_all_is_no_address() {
        let long = format!("{}@example.com", "a".repeat(MAX_ADDRESS_BYTES - 11));
        // Short as it is typed, and long in ASCII.
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
    fn nothing_invisible_is_in_an_address() {
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
    fn debug_output_does_not_hold_the_address() {
        let address: EmailAddress = "mia@example.com".parse().unwrap();
        assert!(!format!("{address:?}").contains("mia"));
    }
}
