//! The proof that a request created an existing user: the time, and a keyed hash of the time and the request.
//!
//! The reserved attribute [`CREATION_ATTRIBUTE`] contains the proof. Only `AdminCreateUser` can set it, and only this
//! API has the key.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::secret::Secret;
use domain::user_pool::groups::GroupName;
use domain::user_pool::user::{CREATION_ATTRIBUTE, User};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use time::{Duration, OffsetDateTime};

use super::plan::Plan;
use crate::authz::caller::Caller;
use crate::http::error::ApiError;

/// The format version, at the start of each proof.
const VERSION: &str = "1";

/// How long a request can be repeated.
const MAX_AGE: Duration = Duration::hours(24);

/// The maximum difference between proof time and creation time. An invocation takes less than 30 seconds.
const TOLERANCE: Duration = Duration::minutes(1);

/// The parts of a request that the hash of the proof covers. They include the attributes, so repeating a request with
/// other values does not confirm guesses.
pub(super) struct Creation<'a> {
    pub(super) caller: &'a Caller,
    pub(super) idempotency_key: &'a str,
    pub(super) plan: &'a Plan,
}

impl Creation<'_> {
    /// The proof for a user who is created now.
    pub(super) fn prove(&self, key: &Secret, now: OffsetDateTime) -> Result<String, ApiError> {
        let seconds = now.unix_timestamp();
        let hash = self.mac(key, seconds)?.finalize().into_bytes();
        Ok(format!("{VERSION}.{seconds}.{}", URL_SAFE_NO_PAD.encode(hash)))
    }

    /// Whether this request created the user within the last 24 hours. If the user was deleted and created again, the
    /// creation time does not match the proof.
    pub(super) fn created(&self, key: &Secret, user: &User, now: OffsetDateTime) -> Result<bool, ApiError> {
        let Some((seconds, hash)) = user.attributes.get(CREATION_ATTRIBUTE).and_then(|proof| parts(proof)) else {
            return Ok(false);
        };
        let Ok(proven_at) = OffsetDateTime::from_unix_timestamp(seconds) else { return Ok(false) };
        let is_recent = (-TOLERANCE..=MAX_AGE).contains(&(now - proven_at));
        let is_of_this_account = (user.created_at - proven_at).abs() <= TOLERANCE;
        Ok(is_recent && is_of_this_account && self.mac(key, seconds)?.verify_slice(&hash).is_ok())
    }

    fn mac(&self, key: &Secret, seconds: i64) -> Result<Hmac<Sha256>, ApiError> {
        let mut mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes())
            .map_err(|_| ApiError::Internal("the creation proof key cannot be used"))?;
        let (kind, creator) = match self.caller {
            Caller::User { sub, .. } => ("user", sub.as_str()),
            Caller::Iam { arn } => ("iam", arn.as_str()),
        };
        let seconds = seconds.to_string();
        let password = if self.plan.permanent_password.is_some() { "permanent" } else { "other" };
        let username = self.plan.new_user.username.as_str();
        let group_count = self.plan.groups.len().to_string();
        let groups = self.plan.groups.iter().map(GroupName::as_str);
        let attributes = self.plan.new_user.attributes.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
        let fixed = [kind, creator, self.idempotency_key, username, password, &seconds, &group_count];
        for field in fixed.into_iter().chain(groups).chain(attributes) {
            // The length prefix makes the boundaries between fields unambiguous.
            mac.update(&(field.len() as u64).to_be_bytes());
            mac.update(field.as_bytes());
        }
        Ok(mac)
    }
}

fn parts(proof: &str) -> Option<(i64, Vec<u8>)> {
    let (seconds, hash) = proof.strip_prefix(VERSION)?.strip_prefix('.')?.split_once('.')?;
    Some((seconds.parse().ok()?, URL_SAFE_NO_PAD.decode(hash).ok()?))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::user_pool::directory::{NewUser, WelcomeMessage};
    use domain::user_pool::user::{Attributes, UserStatus};

    use super::*;
    use crate::authz::caller::Issue;

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn key() -> Secret {
        Secret::new("key")
    }

    fn caller(sub: &str) -> Caller {
        let username = "root".parse().unwrap();
        let (groups, scopes) = (BTreeSet::new(), BTreeSet::new());
        Caller::User { username, sub: sub.to_owned(), groups, scopes, issue: Issue::default() }
    }

    fn plan(username: &str, groups: &[&str], permanent: bool) -> Plan {
        let new_user = NewUser {
            username: username.parse().unwrap(),
            attributes: Attributes::new(),
            temporary_password: None,
            welcome_message: WelcomeMessage::Suppress,
        };
        let permanent_password = permanent.then(|| Secret::new("Permanent-1"));
        Plan { new_user, permanent_password, groups: groups.iter().map(|name| name.parse().unwrap()).collect() }
    }

    fn with_name(name: &str) -> Plan {
        let mut plan = plan("nina", &["support"], true);
        plan.new_user.attributes.insert("name".to_owned(), name.to_owned());
        plan
    }

    fn user(proof: &str, created_at: OffsetDateTime) -> User {
        User {
            username: "nina".parse().unwrap(),
            status: UserStatus::ForceChangePassword,
            enabled: true,
            attributes: [(CREATION_ATTRIBUTE.to_owned(), proof.to_owned())].into(),
            created_at,
            modified_at: created_at,
        }
    }

    /// Whether `user` has a valid proof for this request at the time `NOW + later`.
    fn proves(user: &User, caller: &Caller, idempotency_key: &str, plan: &Plan, later: Duration) -> bool {
        Creation { caller, idempotency_key, plan }.created(&key(), user, NOW + later).unwrap()
    }

    #[test]
    fn proves_only_the_same_request() {
        let (root, nina) = (caller("sub-of-root"), plan("nina", &["support"], true));
        let creation = Creation { caller: &root, idempotency_key: "key-1", plan: &nina };
        let found = user(&creation.prove(&key(), NOW).unwrap(), NOW);
        assert!(proves(&found, &root, "key-1", &nina, Duration::ZERO));
        assert!(!creation.created(&Secret::new("other"), &found, NOW).unwrap());
        assert!(!proves(&found, &caller("sub-of-ann"), "key-1", &nina, Duration::ZERO));
        assert!(!proves(&found, &Caller::Iam { arn: "sub-of-root".to_owned() }, "key-1", &nina, Duration::ZERO));
        assert!(!proves(&found, &root, "key-2", &nina, Duration::ZERO));
        for other in [
            plan("nina2", &["support"], true),
            plan("nina", &[], true),
            plan("nina", &["support", "admins"], true),
            plan("nina", &["supp", "ort"], true),
            plan("nina", &["support"], false),
            with_name("Nina"),
        ] {
            assert!(!proves(&found, &root, "key-1", &other, Duration::ZERO));
        }
        let creation = Creation { caller: &root, idempotency_key: "key-1", plan: &with_name("Nina") };
        let named = user(&creation.prove(&key(), NOW).unwrap(), NOW);
        assert!(proves(&named, &root, "key-1", &with_name("Nina"), Duration::ZERO));
        for other in [with_name("Anna"), nina] {
            assert!(!proves(&named, &root, "key-1", &other, Duration::ZERO));
        }
    }

    /// The concatenated fields of both requests are equal.
    #[test]
    fn equal_concatenations_of_fields_have_different_proofs() {
        let with = |groups: &[&str], name: &str, value: &str| {
            let mut plan = plan("nina", groups, true);
            plan.new_user.attributes.insert(name.to_owned(), value.to_owned());
            plan
        };
        for (number, (first, second)) in [
            (("key-1", with(&[], "ab", "c")), ("key-1", with(&[], "a", "bc"))),
            (("key-1", with(&["support"], "b", "c")), ("key-1", with(&["supportb"], "c", ""))),
            (("key-1", plan("nina", &["ad", "mins"], true)), ("key-1", plan("nina", &["admin", "s"], true))),
            (("key-1", plan("nina", &[], false)), ("key-1n", plan("ina", &[], false))),
        ]
        .into_iter()
        .enumerate()
        {
            let (root, (idempotency_key, plan)) = (caller("sub-of-root"), first);
            let proof = Creation { caller: &root, idempotency_key, plan: &plan }.prove(&key(), NOW).unwrap();
            let found = user(&proof, NOW);
            assert!(proves(&found, &root, idempotency_key, &plan, Duration::ZERO), "{number}");
            assert!(!proves(&found, &root, second.0, &second.1, Duration::ZERO), "{number}");
        }
    }

    #[test]
    fn a_proof_is_valid_for_one_day_and_one_account() {
        let (root, nina) = (caller("sub-of-root"), plan("nina", &[], false));
        let proof = Creation { caller: &root, idempotency_key: "key-1", plan: &nina }.prove(&key(), NOW).unwrap();
        let second = Duration::SECOND;
        for (created_after, later, expected) in [
            (Duration::ZERO, MAX_AGE, true),
            (Duration::ZERO, MAX_AGE + second, false),
            (Duration::ZERO, -TOLERANCE, true),
            (Duration::ZERO, -TOLERANCE - second, false),
            (TOLERANCE, Duration::HOUR, true),
            (-TOLERANCE, Duration::HOUR, true),
            (TOLERANCE + second, Duration::HOUR, false),
            (-TOLERANCE - second, Duration::HOUR, false),
        ] {
            let found = user(&proof, NOW + created_after);
            assert_eq!(proves(&found, &root, "key-1", &nina, later), expected, "{created_after} {later}");
        }
    }

    #[test]
    fn rejects_malformed_proofs() {
        let (root, nina) = (caller("sub-of-root"), plan("nina", &[], false));
        let proof = Creation { caller: &root, idempotency_key: "key-1", plan: &nina }.prove(&key(), NOW).unwrap();
        let hash = proof.rsplit_once('.').unwrap().1;
        for wrong in
            ["", "1", "1.0", "1.0.", "1.0.AAAA", &format!("2.0.{hash}"), &format!("1.1.{hash}"), &format!("{proof}=")]
        {
            assert!(!proves(&user(wrong, NOW), &root, "key-1", &nina, Duration::ZERO), "{wrong}");
        }
        let mut without = user("", NOW);
        without.attributes.clear();
        assert!(!proves(&without, &root, "key-1", &nina, Duration::ZERO));
    }
}
