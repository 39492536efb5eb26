//! Lists of e-mail domains: any text as a list, and domains to look up in it.
#![no_main]

use domain::sign_up::{Domain, DomainList};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;

/// Domain lists as in a setting, and the domain of an address.
#[derive(Debug, Arbitrary)]
struct Attempt<'a> {
    list: &'a str,
    other_list: &'a str,
    domain: &'a str,
    sub_label: &'a str,
}

fuzz_target!(|attempt: Attempt<'_>| {
    let Attempt { list: text, other_list: other_text, domain, sub_label } = attempt;
    let list: Option<DomainList> = text.parse().ok();
    assert_eq!(list.is_some(), text.split(',').all(is_entry), "whether {text:?} is a list");
    let (Some(list), Ok(domain)) = (list, domain.parse::<Domain>()) else { return };
    assert!(!list.is_empty(), "{text:?} is an empty list");
    assert_eq!(list.contains(&domain), is_match(text, &domain), "{domain} in {text:?}");
    assert_forms(text, &list, &domain);
    if let Ok(other) = other_text.parse::<DomainList>() {
        let both = format!("{text},{other_text}").parse::<DomainList>();
        let expected = list.contains(&domain) || other.contains(&domain);
        assert_eq!(both.map(|both| both.contains(&domain)), Ok(expected), "{domain} in {text:?} and {other_text:?}");
    }
    assert_neighbours(&domain, sub_label);
});

/// Case, order, repetition and spaces around commas make no difference.
fn assert_forms(text: &str, list: &DomainList, domain: &Domain) {
    let reversed = text.rsplit(',').collect::<Vec<_>>().join(" ,  ");
    let forms = [text.to_ascii_uppercase(), text.to_ascii_lowercase(), reversed, format!("{text},{text}")];
    for form in forms {
        let contains = form.parse::<DomainList>().map(|list| list.contains(domain));
        assert_eq!(contains, Ok(list.contains(domain)), "{domain} in {text:?}, written as {form:?}");
    }
}

/// A domain matches itself, and a wildcard matches its subdomains. Neither matches a lookalike.
fn assert_neighbours(domain: &Domain, label: &str) {
    let Ok(own) = domain.to_string().parse::<DomainList>() else { panic!("{domain} is not a list") };
    let Ok(wildcard) = format!("*.{domain}").parse::<DomainList>() else { panic!("*.{domain} is not a list") };
    assert!(own.contains(domain) && !wildcard.contains(domain), "{domain} itself");
    for text in [format!("{label}.{domain}"), format!("{label}{domain}"), format!("{domain}.{label}")] {
        let Ok(neighbour) = text.parse::<Domain>() else { continue };
        assert_eq!(own.contains(&neighbour), neighbour == *domain, "{neighbour} in {domain}");
        let is_below = is_match(&format!("*.{domain}"), &neighbour);
        assert_eq!(wildcard.contains(&neighbour), is_below, "{neighbour} in *.{domain}");
    }
}

/// Whether the text is an entry: a domain, or `*.` and a domain, with spaces around it.
fn is_entry(text: &str) -> bool {
    let text = text.trim_matches(' ');
    let name = text.strip_prefix("*.").unwrap_or(text);
    // The code under test converts an international domain to ASCII.
    if name.is_ascii() && !name.to_ascii_lowercase().contains("xn--") {
        is_host_name(name)
    } else {
        name.parse::<Domain>().is_ok_and(|domain| is_host_name(&domain.to_string()))
    }
}

/// Letters, digits and inner hyphens, within the length limits of DNS.
fn is_host_name(name: &str) -> bool {
    name.len() <= 253
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

/// Whether an entry matches the domain, label by label from the last one.
fn is_match(list: &str, domain: &Domain) -> bool {
    let domain = domain.to_string();
    list.split(',').any(|entry| {
        let entry = entry.trim_matches(' ');
        let (name, is_wildcard) = entry.strip_prefix("*.").map_or((entry, false), |name| (name, true));
        let Ok(name) = name.parse::<Domain>() else { return false };
        let name = name.to_string();
        let (mut wanted, mut found) = (name.rsplit('.'), domain.rsplit('.'));
        wanted.all(|label| found.next() == Some(label)) && found.next().is_some() == is_wildcard
    })
}
