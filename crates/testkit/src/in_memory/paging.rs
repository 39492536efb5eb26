//! Lists by the page.

use std::collections::BTreeMap;
use std::ops::Bound;

use domain::directory::{Page, PageRequest};
use domain::user_pool_error::Reason;

/// The largest page that Cognito gives.
const LARGEST: u8 = 60;

/// The page of those entries that `show` shows, by name. A page is `cap` entries long at the most, those counted that are not shown.
pub(super) fn by_name<'a, V, T>(
    all: &'a BTreeMap<String, V>,
    request: &PageRequest,
    cap: Option<usize>,
    show: impl Fn(&'a V) -> Option<T>,
) -> Result<Page<T>, Reason> {
    let begin = match request.after.as_deref() {
        None => Bound::Unbounded,
        Some(last) if all.contains_key(last) => Bound::Excluded(last),
        Some(_) => return Err(Reason::InvalidRequest),
    };
    let rest = all.range::<str, _>((begin, Bound::Unbounded));
    first(rest.map(|(name, value)| (name.as_str(), show(value))), request.limit, cap)
}

/// The page of a list that is in order already.
pub(super) fn in_order<'a, T>(
    all: impl Iterator<Item = (&'a str, T)>,
    request: &PageRequest,
    cap: Option<usize>,
) -> Result<Page<T>, Reason> {
    let mut all = all.map(|(name, entry)| (name, Some(entry)));
    if let Some(last) = &request.after {
        all.find(|(name, _)| name == last).ok_or(Reason::InvalidRequest)?;
    }
    first(all, request.limit, cap)
}

fn first<'a, T>(
    rest: impl Iterator<Item = (&'a str, Option<T>)>,
    limit: u8,
    cap: Option<usize>,
) -> Result<Page<T>, Reason> {
    if !(1..=LARGEST).contains(&limit) {
        return Err(Reason::InvalidRequest);
    }
    let mut rest = rest.filter(|(_, shown)| cap.is_some() || shown.is_some());
    let mut seen = 0;
    let mut last = None;
    let mut entries = vec![];
    while entries.len() < limit.into() && cap.is_none_or(|cap| seen < cap) {
        let Some((name, shown)) = rest.next() else { return Ok(Page { entries, next: None }) };
        seen += 1;
        last = Some(name.to_owned());
        entries.extend(shown);
    }
    let next = rest.next().and(last);
    Ok(Page { entries, next })
}
