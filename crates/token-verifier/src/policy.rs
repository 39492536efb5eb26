//! Which tokens are accepted.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::claims::{Claims, TokenUse};
use crate::jws::Jws;
use crate::key_set::KeySet;
use crate::rejection::Rejection;

/// Which tokens are accepted. The default accepts none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The issuer, e.g. `https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_aBcDeFgHi`.
    pub issuer: String,
    /// The ids of the accepted app clients.
    pub clients: BTreeSet<String>,
    /// The accepted kinds of token.
    pub token_uses: BTreeSet<TokenUse>,
    /// The resources of this service. A client can bind an access token to resources (RFC 8707). Such a token is
    /// accepted only if it is bound to one of these.
    pub resources: BTreeSet<String>,
    /// If set, a token must have at least one of these scopes, so an empty set rejects all. ID tokens have no scopes.
    pub scopes: Option<BTreeSet<String>>,
    /// If set, a token must have at least one of these groups, so an empty set rejects all.
    pub groups: Option<BTreeSet<String>>,
    /// How far the clock of the issuer can be ahead. Extends no token: tokens are rejected as soon as they expire.
    pub clock_tolerance: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            clients: BTreeSet::new(),
            token_uses: BTreeSet::new(),
            resources: BTreeSet::new(),
            scopes: None,
            groups: None,
            clock_tolerance: Duration::from_secs(30),
        }
    }
}

impl Policy {
    /// Verifies a token at this time.
    ///
    /// # Errors
    ///
    /// Returns the first reason to reject the token. The claims are read only after the signature is verified.
    pub fn verify(&self, token: &str, keys: &KeySet, now: SystemTime) -> Result<Claims, Rejection> {
        let jws = Jws::parse(token)?;
        keys.verify(&jws)?;
        let (issuer, claims) = Claims::read(jws.claims()?)?;
        self.check(&issuer, &claims, now)?;
        Ok(claims)
    }

    fn check(&self, issuer: &str, claims: &Claims, now: SystemTime) -> Result<(), Rejection> {
        let now = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let latest_start = now.saturating_add(self.clock_tolerance.as_secs());
        let has_any_of =
            |accepted: &BTreeSet<String>, found: &[String]| found.iter().any(|name| accepted.contains(name));
        let has_required = |required: Option<&BTreeSet<String>>, found: &[String]| {
            required.is_none_or(|required| has_any_of(required, found))
        };
        let checks = [
            (!self.issuer.is_empty() && issuer == self.issuer, Rejection::Issuer),
            (self.token_uses.contains(&claims.token_use), Rejection::TokenUse),
            (self.clients.contains(&claims.client_id), Rejection::Client),
            (claims.resources.is_empty() || has_any_of(&self.resources, &claims.resources), Rejection::Resource),
            (now < claims.expires_at, Rejection::Expired),
            (claims.issued_at.max(claims.not_before.unwrap_or(0)) <= latest_start, Rejection::NotYetValid),
            (has_required(self.scopes.as_ref(), &claims.scopes), Rejection::Scope),
            (has_required(self.groups.as_ref(), &claims.groups), Rejection::Group),
        ];
        checks.into_iter().find(|(passes, _)| !passes).map_or(Ok(()), |(_, rejection)| Err(rejection))
    }
}
