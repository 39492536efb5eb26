//! Cognito's default request rate quotas, enforced with token buckets.
//!
//! Source: [Quotas in Amazon Cognito], the tables of per-category and per-user request rate quotas. AWS publishes rates
//! in requests per second, but no burst. Each bucket therefore holds the requests of one second.
//!
//! [Quotas in Amazon Cognito]: https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// A category of operations, which share a quota across all user pools of an account in a Region.
struct Category {
    name: &'static str,
    /// Requests per second.
    rate: u32,
    /// The operations that the load calls.
    operations: &'static [&'static str],
    /// Requests per second of each single operation in one user pool.
    operation_rate: Option<u32>,
}

const CATEGORIES: [Category; 5] = [
    Category { name: "UserCreation", rate: 50, operations: &["AdminCreateUser"], operation_rate: None },
    Category { name: "UserRead", rate: 120, operations: &["AdminGetUser", "GetUser"], operation_rate: None },
    Category { name: "UserResourceRead", rate: 50, operations: &["AdminListGroupsForUser"], operation_rate: None },
    Category { name: "UserPoolRead", rate: 15, operations: &["DescribeUserPool"], operation_rate: None },
    Category { name: "UserPoolClientRead", rate: 15, operations: &["DescribeUserPoolClient"], operation_rate: Some(5) },
];

/// Reads of one user per second. AWS lists only examples (`GetUser`, `GetDevice`). This is the strictest reading: every
/// operation that reads a user counts.
pub(super) const READS_PER_USER: u32 = 10;

/// How many requests a bucket holds, as the time in which it fills.
const BURST: Duration = Duration::from_secs(1);

/// A token bucket, as the time at which it is full.
#[derive(Debug)]
struct TokenBucket {
    /// The time in which the bucket receives one token.
    interval: Duration,
    full_at: Instant,
}

impl TokenBucket {
    /// A full bucket that receives `rate` tokens per second.
    fn new(rate: u32, now: Instant) -> Self {
        Self { interval: Duration::from_secs(1) / rate, full_at: now }
    }

    fn has_token(&self, now: Instant) -> bool {
        self.full_at_after_taking(now) <= now + BURST
    }

    fn take(&mut self, now: Instant) {
        self.full_at = self.full_at_after_taking(now);
    }

    fn full_at_after_taking(&self, now: Instant) -> Instant {
        self.full_at.max(now) + self.interval
    }
}

/// The use of one quota.
#[derive(Debug)]
struct Quota {
    rate: u32,
    bucket: TokenBucket,
    sent: u32,
    answered: u32,
}

impl Quota {
    fn new(rate: u32, now: Instant) -> Self {
        Self { rate, bucket: TokenBucket::new(rate, now), sent: 0, answered: 0 }
    }

    fn usage(&self, name: impl Into<String>) -> Usage {
        Usage { name: name.into(), rate: self.rate, sent: self.sent, answered: self.answered }
    }
}

/// The calls that count against one quota.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) name: String,
    /// The quota in calls per second.
    pub(super) rate: u32,
    pub(super) sent: u32,
    /// The calls that were not throttled. A call is throttled if any of its quotas is exceeded.
    pub(super) answered: u32,
}

/// The decision about one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    Admitted,
    Throttled,
    /// No category contains the operation.
    UnknownOperation,
}

/// The quotas of an account.
pub(super) struct Quotas {
    /// In the order of [`CATEGORIES`].
    categories: Vec<Quota>,
    operations: HashMap<&'static str, Quota>,
    users: HashMap<String, Quota>,
}

impl Quotas {
    pub(super) fn new(now: Instant) -> Self {
        let categories = CATEGORIES.iter().map(|category| Quota::new(category.rate, now)).collect();
        Self { categories, operations: HashMap::new(), users: HashMap::new() }
    }

    /// Counts a call, and decides whether it is over a quota. `read_user` is the user whom the call reads. A throttled
    /// call takes no token.
    pub(super) fn admit(&mut self, operation: &str, read_user: Option<&str>, now: Instant) -> Admission {
        let mut found = None;
        for (category, quota) in CATEGORIES.iter().zip(&mut self.categories) {
            if let Some(operation) = category.operations.iter().find(|name| **name == operation) {
                found = Some((*operation, category.operation_rate, quota));
            }
        }
        let Some((operation, operation_rate, category)) = found else { return Admission::UnknownOperation };
        let operation =
            operation_rate.map(|rate| self.operations.entry(operation).or_insert_with(|| Quota::new(rate, now)));
        let user =
            read_user.map(|user| self.users.entry(user.to_owned()).or_insert_with(|| Quota::new(READS_PER_USER, now)));
        let mut quotas: Vec<_> = [Some(category), operation, user].into_iter().flatten().collect();
        let is_admitted = quotas.iter().all(|quota| quota.bucket.has_token(now));
        for quota in &mut quotas {
            quota.sent += 1;
            if is_admitted {
                quota.answered += 1;
                quota.bucket.take(now);
            }
        }
        if is_admitted { Admission::Admitted } else { Admission::Throttled }
    }

    /// The use of each category, of each operation with its own quota, and of the user who was read most often.
    pub(super) fn usage(&self) -> Vec<Usage> {
        let categories = CATEGORIES.iter().zip(&self.categories).map(|(category, quota)| quota.usage(category.name));
        let operations = self.operations.iter().map(|(name, quota)| quota.usage(*name));
        let busiest = self.users.iter().max_by_key(|(name, quota)| (quota.answered, *name));
        let busiest = busiest.map(|(name, quota)| quota.usage(format!("reads of {name}")));
        categories.chain(operations).chain(busiest).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of the calls, one per millisecond of the period, are admitted.
    fn admitted(mut call: impl FnMut(Instant) -> bool, start: Instant, period: Duration) -> usize {
        let milliseconds = u64::try_from(period.as_millis()).unwrap();
        (0..milliseconds).filter(|millisecond| call(start + Duration::from_millis(*millisecond))).count()
    }

    fn take_if_any(bucket: &mut TokenBucket, now: Instant) -> bool {
        let has_token = bucket.has_token(now);
        if has_token {
            bucket.take(now);
        }
        has_token
    }

    #[test]
    fn a_bucket_holds_one_second_of_its_rate() {
        for rate in [5, 10, 15, 50, 120] {
            let now = Instant::now();
            let mut bucket = TokenBucket::new(rate, now);
            for time in [now, now + Duration::from_hours(1)] {
                let burst = (0..1_000).filter(|_| take_if_any(&mut bucket, time)).count();
                assert_eq!(burst, rate as usize, "an idle bucket collects no more than it holds");
            }
        }
    }

    #[test]
    fn an_empty_bucket_receives_one_token_per_interval() {
        let now = Instant::now();
        let mut bucket = TokenBucket::new(10, now);
        while take_if_any(&mut bucket, now) {}
        let just_before = now + Duration::from_millis(99);
        assert!(!take_if_any(&mut bucket, just_before));
        let interval = now + Duration::from_millis(100);
        assert!(take_if_any(&mut bucket, interval));
        assert!(!take_if_any(&mut bucket, interval));
    }

    #[test]
    fn demand_over_the_rate_is_admitted_at_the_rate() {
        let now = Instant::now();
        let mut bucket = TokenBucket::new(50, now);
        let count = admitted(|time| take_if_any(&mut bucket, time), now, Duration::from_secs(10));
        assert_eq!(count, 50 + 50 * 10 - 1, "a full bucket, then the rate; the last token arrives after the period");
    }

    #[test]
    fn operations_of_a_category_share_its_quota() {
        let now = Instant::now();
        let mut quotas = Quotas::new(now);
        for number in 0..120 {
            let operation = if number % 2 == 0 { "GetUser" } else { "AdminGetUser" };
            let user = format!("user-{number}");
            assert_eq!(quotas.admit(operation, Some(&user), now), Admission::Admitted, "{number}");
        }
        assert_eq!(quotas.admit("GetUser", Some("mia"), now), Admission::Throttled);
        assert_eq!(quotas.admit("AdminGetUser", Some("mia"), now), Admission::Throttled);
        assert_eq!(quotas.admit("AdminListGroupsForUser", Some("mia"), now), Admission::Admitted);
    }

    #[test]
    fn a_user_is_read_at_most_ten_times_per_second() {
        let now = Instant::now();
        let mut quotas = Quotas::new(now);
        let mut read = |user, time| {
            [quotas.admit("GetUser", Some(user), time), quotas.admit("AdminListGroupsForUser", Some(user), time)]
        };
        for _ in 0..5 {
            assert_eq!(read("root", now), [Admission::Admitted; 2]);
        }
        assert_eq!(read("root", now), [Admission::Throttled; 2]);
        assert_eq!(read("mia", now), [Admission::Admitted; 2]);
        assert_eq!(read("root", now + Duration::from_millis(200)), [Admission::Admitted; 2]);
    }

    #[test]
    fn a_throttled_call_takes_no_token_of_another_quota() {
        let now = Instant::now();
        let mut quotas = Quotas::new(now);
        for _ in 0..1_000 {
            quotas.admit("GetUser", Some("root"), now);
        }
        let others = (0..200)
            .filter(|number| quotas.admit("AdminGetUser", Some(&format!("user-{number}")), now) == Admission::Admitted);
        assert_eq!(others.count(), 120 - 10);
        let expected = Usage { name: "UserRead".to_owned(), rate: 120, sent: 1_200, answered: 120 };
        assert!(quotas.usage().contains(&expected), "{:?}", quotas.usage());
        let expected = Usage { name: "reads of root".to_owned(), rate: 10, sent: 1_000, answered: 10 };
        assert!(quotas.usage().contains(&expected), "{:?}", quotas.usage());
    }

    #[test]
    fn reading_the_app_client_has_a_quota_of_its_own() {
        let now = Instant::now();
        let mut quotas = Quotas::new(now);
        let count = (0..15).filter(|_| quotas.admit("DescribeUserPoolClient", None, now) == Admission::Admitted);
        assert_eq!(count.count(), 5);
    }

    #[test]
    fn an_operation_without_a_category_is_unknown() {
        let now = Instant::now();
        assert_eq!(Quotas::new(now).admit("ListUsers", None, now), Admission::UnknownOperation);
    }
}
