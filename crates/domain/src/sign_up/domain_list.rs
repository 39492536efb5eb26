//! Domains, and lists of them: `example.com` is that domain only, `*.example.com` its sub-domains at any depth and not itself.

use std::fmt;

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use thiserror::Error;

/// A domain in its ASCII form (UTS 46, non-transitional): case and alphabet make no difference.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Domain(String);

/// The text is no domain name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("expected a domain, e.g. example.com")]
pub struct NotADomain;

impl Domain {
    /// The domain as people write it.
    #[must_use]
    pub fn to_unicode(&self) -> String {
        // A valid domain has no label that cannot be shown.
        let (domain, _) = Uts46::new().to_unicode(self.0.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast);
        domain.into_owned()
    }
}

impl std::str::FromStr for Domain {
    type Err = NotADomain;

    fn from_str(text: &str) -> Result<Self, NotADomain> {
        // Letters, digits and inner hyphens only, labels and whole within DNS's lengths, no dot at the end: with that, `example.com.`
        // would be another domain than `example.com` to a list, and the same to a mail server.
        Uts46::new()
            .to_ascii(text.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Verify)
            .map(|domain| Self(domain.into_owned()))
            .map_err(|_| NotADomain)
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
    Itself(Domain),
    SubDomains(Domain),
}

impl Entry {
    fn meets(&self, domain: &Domain) -> bool {
        match self {
            Self::Itself(own) => own == domain,
            Self::SubDomains(parent) => domain
                .0
                .strip_suffix(&parent.0)
                .and_then(|rest| rest.strip_suffix('.'))
                .is_some_and(|sub| !sub.is_empty()),
        }
    }
}

/// A list of domains, as settings have it: separated by commas, blanks around them allowed. The default is empty, and meets nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DomainList(Vec<Entry>);

/// The text is no list of domains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("expected domains with commas between them, e.g. `example.com,*.example.org`")]
pub struct NotADomainList;

impl DomainList {
    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a domain is meant by one of the entries.
    #[must_use]
    pub fn contains(&self, domain: &Domain) -> bool {
        self.0.iter().any(|entry| entry.meets(domain))
    }
}

impl std::str::FromStr for DomainList {
    type Err = NotADomainList;

    fn from_str(text: &str) -> Result<Self, NotADomainList> {
        let entry = |text: &str| match text.strip_prefix("*.") {
            Some(parent) => parent.parse().map(Entry::SubDomains),
            None => text.parse().map(Entry::Itself),
        };
        text.split(',')
            .map(|text| entry(text.trim_matches(' ')))
            .collect::<Result<_, _>>()
            .map(Self)
            .map_err(|_| NotADomainList)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(list: &str, domain: &str) -> bool {
        list.parse::<DomainList>().unwrap().contains(&domain.parse().unwrap())
    }

    #[test]
    fn a_domain_is_itself_only_and_a_wildcard_its_sub_domains_only() {
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
    fn a_domain_is_shown_as_people_write_it() {
        for (text, shown) in [
            ("EXAMPLE.com", "example.com"),
            ("BÜCHER.example", "bücher.example"),
            ("xn--bcher-kva.xn--strae-oqa.example", "bücher.straße.example"),
        ] {
            assert_eq!(text.parse::<Domain>().unwrap().to_unicode(), shown);
        }
    }

    #[test]
    fn an_empty_list_meets_nothing() {
        assert!(DomainList::default().is_empty());
        assert!(!DomainList::default().contains(&"example.com".parse().unwrap()));
    }

    #[test]
    fn what_is_no_list_is_refused_whole() {
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
            assert_eq!(text.parse::<DomainList>(), Err(NotADomainList), "{text:?}");
        }
    }
}
