//! Domains and domain lists. `example.com` matches only that domain; `*.example.com` matches only its subdomains, at
//! any depth.

use std::fmt;

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use thiserror::Error;

/// A domain in its ASCII form (UTS 46, non-transitional).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Domain(String);

/// The text is not a domain name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a domain, e.g. example.com")]
pub struct InvalidDomain;

impl Domain {
    /// Returns the domain in Unicode.
    #[must_use]
    pub fn to_unicode(&self) -> String {
        // All labels of a valid domain can be decoded.
        let (domain, _) = Uts46::new().to_unicode(self.0.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast);
        domain.into_owned()
    }
}

impl std::str::FromStr for Domain {
    type Err = InvalidDomain;

    fn from_str(text: &str) -> Result<Self, InvalidDomain> {
        // `DnsLength::Verify` also rejects a trailing dot, because a list would distinguish `example.com.` from
        // `example.com` but a mail server would not.
        Uts46::new()
            .to_ascii(text.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Verify)
            .map(|domain| Self(domain.into_owned()))
            .map_err(|_| InvalidDomain)
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// One entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    Exact(Domain),
    Subdomains(Domain),
}

impl Entry {
    fn matches(&self, domain: &Domain) -> bool {
        match self {
            Self::Exact(own) => own == domain,
            Self::Subdomains(parent) => domain
                .0
                .strip_suffix(&parent.0)
                .and_then(|rest| rest.strip_suffix('.'))
                .is_some_and(|sub| !sub.is_empty()),
        }
    }
}

/// A comma-separated list of domains, with optional spaces. The default is empty and matches nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DomainList(Vec<Entry>);

/// The text is not a list of domains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be comma-separated domains, e.g. `example.com,*.example.org`")]
pub struct InvalidDomainList;

impl DomainList {
    /// Whether the list has no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an entry matches the domain.
    #[must_use]
    pub fn contains(&self, domain: &Domain) -> bool {
        self.0.iter().any(|entry| entry.matches(domain))
    }
}

impl std::str::FromStr for DomainList {
    type Err = InvalidDomainList;

    fn from_str(text: &str) -> Result<Self, InvalidDomainList> {
        let entry = |text: &str| match text.strip_prefix("*.") {
            Some(parent) => parent.parse().map(Entry::Subdomains),
            None => text.parse().map(Entry::Exact),
        };
        text.split(',')
            .map(|text| entry(text.trim_matches(' ')))
            .collect::<Result<_, _>>()
            .map(Self)
            .map_err(|_| InvalidDomainList)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(list: &str, domain: &str) -> bool {
        list.parse::<DomainList>().unwrap().contains(&domain.parse().unwrap())
    }

    #[test]
    fn domains_match_exactly_and_wildcards_match_subdomains_only() {
        for (list, domain, expected) in [
            ("example.com", "example.com", true),
            ("example.com", "EXAMPLE.com", true),
            ("Example.COM", "example.com", true),
            ("example.com", "mail.example.com", false),
            ("example.com", "evilexample.com", false),
            ("example.com", "example.com.evil.org", false),
            ("example.com", "example.co", false),
            ("*.example.com", "mail.example.com", true),
            ("*.example.com", "a.b.c.example.com", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", "evilexample.com", false),
            ("*.example.com", "mail.example.com.evil.org", false),
            ("*.edu", "mit.edu", true),
            ("example.com,*.example.com", "example.com", true),
            ("example.org , example.com", "example.com", true),
            ("example.org, example.net", "example.com", false),
            ("bücher.example", "xn--bcher-kva.example", true),
            ("xn--bcher-kva.example", "BÜCHER.example", true),
            ("*.bücher.example", "mail.xn--bcher-kva.example", true),
            ("straße.example", "strasse.example", false),
            ("example.com", "ехаmple.com", false),
        ] {
            assert_eq!(contains(list, domain), expected, "{domain} in {list}");
        }
    }

    #[test]
    fn domains_are_displayed_in_unicode() {
        for (text, shown) in [
            ("EXAMPLE.com", "example.com"),
            ("BÜCHER.example", "bücher.example"),
            ("xn--bcher-kva.xn--strae-oqa.example", "bücher.straße.example"),
        ] {
            assert_eq!(text.parse::<Domain>().unwrap().to_unicode(), shown);
        }
    }

    #[test]
    fn an_empty_list_matches_nothing() {
        assert!(DomainList::default().is_empty());
        assert!(!DomainList::default().contains(&"example.com".parse().unwrap()));
    }

    #[test]
    fn rejects_invalid_lists() {
        for text in [
            "",
            ",",
            "example.com,",
            ",example.com",
            "example.com,,example.org",
            "example.com;example.org",
            "example.com example.org",
            "*",
            "*.",
            "*example.com",
            "mail.*.com",
            "*.*.com",
            ".example.com",
            "example.com.",
            "@example.com",
            "mia@example.com",
            "https://example.com",
            "example..com",
            "-example.com",
            "exa mple.com",
            "exa\u{200b}\u{0}mple.com",
            "example.com\n",
            "xn--a",
        ] {
            assert_eq!(text.parse::<DomainList>(), Err(InvalidDomainList), "{text:?}");
        }
    }
}
