//! Emulates the eventual consistency of IAM: hides new roles and attachments for a time, measured by tokio's clock,
//! which tests can pause.

use std::collections::BTreeMap;
use std::time::Duration;

use hyper::body::Bytes;
use hyper::header::CONTENT_LENGTH;
use tokio::time::Instant;

use super::answers::{Answer, no_such_role, role_cannot_be_taken};
use super::request::Request;

/// What is hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hidden {
    /// Hides a new role from `GetCredentialsForIdentity`, which then returns an invalid configuration.
    Role,
    /// Hides a new policy attachment from `ListAttachedRolePolicies`, which then omits it, and from
    /// `GetCredentialsForIdentity`, which then returns an invalid configuration.
    Attachment,
    /// Hides a new role from IAM, which then does not find the role.
    RoleFromIam,
}

#[derive(Debug, Default)]
pub(super) struct Visibility {
    delays: BTreeMap<Hidden, Duration>,
    /// The creation time of each role.
    roles: BTreeMap<String, Instant>,
    /// The time of each attachment: role, policy, time.
    attachments: BTreeMap<(String, String), Instant>,
}

impl Visibility {
    pub(super) fn hide(&mut self, what: Hidden, for_how_long: Duration) {
        self.delays.insert(what, for_how_long);
    }

    pub(super) fn visible_since(&self, what: Hidden) -> Option<Duration> {
        let last = match what {
            Hidden::Role | Hidden::RoleFromIam => self.roles.values().max(),
            Hidden::Attachment => self.attachments.values().max(),
        };
        Instant::now().checked_duration_since(*last? + *self.delays.get(&what)?)
    }

    /// The response to a call that needs a hidden resource.
    pub(super) fn answer_instead(&self, operation: &str, request: &Request) -> Option<(Hidden, Answer)> {
        match operation {
            "GetCredentialsForIdentity" => {
                let hides_a_role = self.roles.values().any(|made| self.hides(Hidden::Role, *made));
                let hides_a_policy = self.attachments.values().any(|made| self.hides(Hidden::Attachment, *made));
                let what = hides_a_role.then_some(Hidden::Role).or(hides_a_policy.then_some(Hidden::Attachment))?;
                Some((what, role_cannot_be_taken()))
            }
            "GetRole" | "AttachRolePolicy" | "ListAttachedRolePolicies" | "UpdateAssumeRolePolicy" => {
                let role = request.parameter("RoleName")?;
                let made = self.roles.get(&role)?;
                self.hides(Hidden::RoleFromIam, *made).then(|| (Hidden::RoleFromIam, no_such_role(&role)))
            }
            _ => None,
        }
    }

    /// Records what the service created.
    pub(super) fn note(&mut self, operation: &str, request: &Request) {
        let Some(role) = request.parameter("RoleName") else { return };
        match (operation, request.parameter("PolicyArn")) {
            ("CreateRole", _) => {
                self.roles.insert(role, Instant::now());
            }
            ("DeleteRole", _) => {
                self.attachments.retain(|(of, _), _| *of != role);
                self.roles.remove(&role);
            }
            // Attaching an attached policy again does not hide it.
            ("AttachRolePolicy", Some(policy)) => {
                self.attachments.entry((role, policy)).or_insert_with(Instant::now);
            }
            ("DetachRolePolicy", Some(policy)) => {
                self.attachments.remove(&(role, policy));
            }
            _ => {}
        }
    }

    /// Removes hidden resources from the service's response. Returns whether any were removed.
    pub(super) fn take_out(&self, operation: &str, request: &Request, answer: &mut Answer) -> bool {
        if operation != "ListAttachedRolePolicies" {
            return false;
        }
        let Some(role) = request.parameter("RoleName") else { return false };
        let of_role = self.attachments.iter().filter(|((of, _), _)| *of == role);
        let hidden = of_role.filter(|(_, made)| self.hides(Hidden::Attachment, **made));
        let hidden: Vec<&str> = hidden.map(|((_, policy), _)| policy.as_str()).collect();
        let Some(left) = without_members(&String::from_utf8_lossy(answer.body()), &hidden) else { return false };
        *answer.body_mut() = Bytes::from(left);
        answer.headers_mut().remove(CONTENT_LENGTH);
        true
    }

    fn hides(&self, what: Hidden, made: Instant) -> bool {
        self.delays.get(&what).is_some_and(|delay| Instant::now() < made + *delay)
    }
}

/// Removes policies from a list of attached policies, whose members are flat. Returns `None` if none of them is listed.
fn without_members(xml: &str, policies: &[&str]) -> Option<String> {
    const END: &str = "</member>";
    let is_hidden = |member: &str| policies.iter().any(|policy| member.contains(&format!(">{policy}</PolicyArn>")));
    let (mut left, mut taken) = (String::new(), false);
    for part in xml.split_inclusive(END) {
        match part.find("<member>") {
            Some(start) if is_hidden(&part[start..]) => {
                left.push_str(&part[..start]);
                taken = true;
            }
            _ => left.push_str(part),
        }
    }
    taken.then_some(left)
}
