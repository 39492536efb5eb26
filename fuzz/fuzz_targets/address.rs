//! E-mail addresses and domain lists: any text, with a list in the first line and an address after it.
#![no_main]

use domain::sign_up::{Domain, DomainList, EmailAddress};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let Ok(text) = str::from_utf8(text) else { return };
    let (list, address) = text.split_once('\n').unwrap_or(("", text));
    if let Ok(parsed) = address.parse() {
        assert_address(address, &parsed);
        if let Ok(parsed_list) = list.parse() {
            assert_list(list, &parsed_list, parsed.domain());
        }
    }
});

/// A parsed address has one normal form, which parses to the same address. Parsing repairs nothing.
fn assert_address(text: &str, parsed: &EmailAddress) {
    let normal = parsed.to_string();
    let again: Option<EmailAddress> = normal.parse().ok();
    assert_eq!(again.as_ref(), Some(parsed), "the normal form {normal:?} of {text:?} is another address");
    assert_eq!(
        again.map(|again| again.to_string()),
        Some(normal.clone()),
        "the normal form of {text:?} has another one"
    );

    let domain = parsed.domain().to_string();
    assert_eq!(domain.parse().as_ref(), Ok(parsed.domain()), "the domain {domain:?} parses to another one");
    assert!(is_host_name(&domain), "{domain:?} is not a valid DNS name");

    let (local_part, given_domain) = text.rsplit_once('@').unwrap_or_default();
    assert_eq!(normal, format!("{}@{domain}", local_part.to_ascii_lowercase()), "parsing repaired {text:?}");
    if given_domain.is_ascii() {
        assert_eq!(domain, given_domain.to_ascii_lowercase(), "parsing repaired {text:?}");
    }
    assert_eq!(text.to_ascii_uppercase().parse().as_ref(), Ok(parsed), "{text:?} in uppercase is another address");

    // The Unicode form parses to the same address, unless it is too long or has invisible characters.
    let shown: Option<EmailAddress> = parsed.with_unicode_domain().parse().ok();
    assert!(shown.is_none_or(|shown| shown == *parsed), "{normal:?} is another address in its Unicode form");

    assert_beside_another_address(text);
}

/// An address with another address before or after it is rejected, or is an address of the other domain.
fn assert_beside_another_address(text: &str) {
    let read = |text: &str| text.parse::<EmailAddress>().ok();
    for before in ["mia@evil.example,", "\"mia\"@evil.example,", "<mia@evil.example>", "\"\"<mia@evil.example>"] {
        let both = format!("{before}{text}");
        assert!(read(&both).is_none(), "{both:?} is an address");
    }
    for after in [".evil.example", "@evil.example", ",mia@evil.example"] {
        let both = format!("{text}{after}");
        let is_evil = |address: EmailAddress| address.domain().to_string().ends_with("evil.example");
        assert!(read(&both).is_none_or(is_evil), "{both:?} is not an address of evil.example");
    }
}

/// A list contains what its entries match, label by label: `example.com` itself, `*.example.com` only its subdomains.
fn assert_list(text: &str, list: &DomainList, domain: &Domain) {
    let matches = |entry: &str| {
        let (parent, is_wildcard) = entry.strip_prefix("*.").map_or((entry, false), |parent| (parent, true));
        let parent = parent.parse().map(|parent: Domain| parent.to_string()).unwrap_or_default();
        let (parent, domain): (Vec<_>, Vec<_>) = (parent.rsplit('.').collect(), domain_labels(domain));
        domain.starts_with(&parent.iter().map(ToString::to_string).collect::<Vec<_>>())
            && (domain.len() > parent.len()) == is_wildcard
    };
    let expected = text.split(',').any(|entry| matches(entry.trim_matches(' ')));
    assert_eq!(list.contains(domain), expected, "{domain} in {text:?}");

    for (prefix, entry) in [("evil", format!("{domain}")), ("evil", format!("*.{domain}")), ("", format!("*.{domain}"))]
    {
        let lookalike = format!("{prefix}{domain}").parse();
        let list: Result<DomainList, _> = entry.parse();
        if let (Ok(lookalike), Ok(list)) = (lookalike, list) {
            assert!(!list.contains(&lookalike), "{lookalike} in {entry}");
        }
    }
}

/// The labels from the top-level domain on.
fn domain_labels(domain: &Domain) -> Vec<String> {
    domain.to_string().rsplit('.').map(str::to_owned).collect()
}

/// Lowercase letters, digits and inner hyphens, within the length limits of DNS.
fn is_host_name(domain: &str) -> bool {
    domain.len() <= 253
        && domain.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}
