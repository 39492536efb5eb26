//! Paginated lists.

use std::collections::BTreeMap;
use std::ops::Bound;

use domain::user_pool::error::Reason;
use domain::user_pool::page::{Page, PageRequest};

/// The maximum page size of Cognito.
const LARGEST: u8 = 60;

/// A page of the entries that `show` accepts, sorted by name. A page covers at most `cap` entries, including excluded
/// ones.
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

/// A page of a sorted list.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The pages of the even entries of `a0` to `a6`, each with its next token.
    fn pages(limit: u8, cap: Option<usize>) -> Vec<(Vec<u8>, Option<String>)> {
        let all: BTreeMap<String, u8> = (0..7).map(|number| (format!("a{number}"), number)).collect();
        let even = |number: &u8| number.is_multiple_of(2).then_some(*number);
        let mut pages = vec![];
        let mut after = None;
        loop {
            let page = by_name(&all, &PageRequest { limit, after }, cap, even).unwrap();
            pages.push((page.entries, page.next.clone()));
            after = page.next;
            if after.is_none() {
                return pages;
            }
        }
    }

    #[test]
    fn pages_are_full_and_the_last_has_no_token() {
        assert_eq!(pages(2, None), [(vec![0, 2], Some("a2".into())), (vec![4, 6], None)]);
        assert_eq!(pages(3, None), [(vec![0, 2, 4], Some("a4".into())), (vec![6], None)]);
    }

    #[test]
    fn cap_counts_excluded_entries() {
        let ones = [vec![0], vec![], vec![2], vec![], vec![4], vec![], vec![6]];
        assert_eq!(pages(60, Some(1)).into_iter().map(|(entries, _)| entries).collect::<Vec<_>>(), ones);
        assert_eq!(
            pages(60, Some(3)),
            [(vec![0, 2], Some("a2".into())), (vec![4], Some("a5".into())), (vec![6], None)]
        );
    }

    #[test]
    fn rejects_foreign_tokens_and_limits_out_of_range() {
        let all = BTreeMap::from([("a".to_owned(), 1)]);
        for (limit, after) in [(0, None), (61, None), (1, Some("b".into()))] {
            let request = PageRequest { limit, after };
            assert_eq!(by_name(&all, &request, None, |one| Some(*one)), Err(Reason::InvalidRequest), "{request:?}");
            let list = all.iter().map(|(name, one)| (name.as_str(), *one));
            assert_eq!(in_order(list, &request, None), Err(Reason::InvalidRequest), "{request:?}");
        }
    }
}
