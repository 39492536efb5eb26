//! The names of the invariants.

/// An invariant of every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// A caller assigns no group with capabilities that the caller lacks.
    Grant,
    /// No actor has capabilities that were not granted, not even through another account.
    Control,
    /// A grant affects only an account that the request created, or named by its user name or `sub`.
    Target,
    /// Only a repetition of the request that created a user returns this user.
    Repeat,
    /// Without `users:read`, no response contains another user's attribute that the request does not contain.
    Attributes,
    /// Without `users:read`, no request that names another user by an alias succeeds, because success reveals the
    /// owner.
    Alias,
    /// No response compares attributes without `users:read`.
    Guess,
    /// A failed request makes only the changes that the response lists in `completed`.
    Refusal,
    /// A signed-out, disabled or deleted caller, or one whose token lacks the scope for Cognito, makes no changes.
    EndedCaller,
    /// A caller without the permission in the pool makes no changes.
    Permission,
    /// If administrators require a second factor, a caller without one cannot read or change anything.
    SecondFactor,
    /// No caller changes their own account with admin routes, and no group in `ROLES` is deleted.
    OwnRights,
    /// Only a caller with every permission uploads a file, or starts or restarts a job.
    Import,
    /// At sign-up and in challenges, users set only write attributes of the app client.
    WriteAttributes,
}

/// A broken rule and a description.
#[derive(Debug)]
pub(super) struct Violation(pub(super) Rule, pub(super) String);
