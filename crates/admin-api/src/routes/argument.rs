//! What the arguments of a handler require of its route. [`super::Route::new`] checks it at startup.

use axum::extract::State;
use http::HeaderMap;

use super::auth::attributes::Contact;
use super::jobs::TargetJob;
use super::target::{Target, TargetGroup};
use super::users::devices::TargetDevice;
use super::users::identities::TargetProvider;
use crate::app::App;
use crate::audit::record::Audit;
use crate::audit::steps::Progress;
use crate::authz::access::{Access, Authorized, Unlimited};
use crate::authz::access_token::AccessToken;
use crate::authz::target_user::{NamedUser, OtherUser, TargetUser};
use crate::http::client_context::ClientInfo;
use crate::http::idempotency_key::IdempotencyKey;
use crate::http::json::{Json, JsonText};
use crate::http::query::Query;

/// What an argument requires.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Requirement {
    /// A parameter in the path.
    Parameter(&'static str),
    /// An access with a caller.
    Caller,
    /// A write. Only for writes does the gate read the user in the path.
    Write,
    /// The user that the gate read. A handler with only the name could change another user.
    CheckedUser,
}

impl Requirement {
    fn is_met(self, path: &str, access: Access) -> bool {
        match self {
            Self::Parameter(name) => path.contains(&format!("{{{name}}}")),
            Self::Caller => !matches!(access, Access::Public | Access::OwnToken),
            Self::Write => matches!(access, Access::Write(_)),
            Self::CheckedUser => !(matches!(access, Access::Write(_)) && path.contains("{username}")),
        }
    }
}

/// An argument of a handler, or all of them as axum's tuple.
pub(super) trait Argument {
    const REQUIRES: &'static [Requirement] = &[];

    /// Returns the first requirement that a route does not meet.
    fn unmet(path: &str, access: Access) -> Option<Requirement> {
        Self::REQUIRES.iter().copied().find(|requirement| !requirement.is_met(path, access))
    }
}

macro_rules! arguments {
    ($($argument:ty $([$($type:ident),*])?: [$($requirement:expr),*],)*) => {
        $(impl $(<$($type),*>)? Argument for $argument {
            const REQUIRES: &'static [Requirement] = &[$($requirement),*];
        })*
    };
}

use Requirement::{Caller, CheckedUser, Parameter, Write};

arguments! {
    State<App>: [],
    HeaderMap: [],
    Audit: [],
    Progress: [],
    ClientInfo: [],
    AccessToken: [],
    IdempotencyKey: [],
    Query<T> [T]: [],
    Json<T> [T]: [],
    JsonText: [],
    Authorized: [Caller],
    Unlimited: [Write],
    Target: [Parameter("username")],
    TargetUser: [Parameter("username"), Write],
    NamedUser: [Parameter("username"), Write],
    OtherUser: [Parameter("username"), Write],
    TargetGroup: [Parameter("group")],
    TargetDevice: [Parameter("key")],
    TargetProvider: [Parameter("provider")],
    Contact: [Parameter("name")],
    TargetJob: [Parameter("id")],
}

/// axum's tuple of the arguments starts with a private marker type.
macro_rules! all_arguments {
    ($($type:ident),*) => {
        impl<M, $($type: Argument),*> Argument for (M, $($type,)*) {
            fn unmet(path: &str, access: Access) -> Option<Requirement> {
                let has_checked_user = [$($type::REQUIRES),*].concat().contains(&Write);
                let checked_user = Some(CheckedUser).filter(|it| !has_checked_user && !it.is_met(path, access));
                checked_user$(.or_else(|| $type::unmet(path, access)))*
            }
        }
    };
}

all_arguments!(A);
all_arguments!(A, B);
all_arguments!(A, B, C);
all_arguments!(A, B, C, D);
all_arguments!(A, B, C, D, E);
all_arguments!(A, B, C, D, E, F);

#[cfg(test)]
mod tests {
    use domain::permission::Permission;

    use super::*;

    #[test]
    fn finds_requirement_that_a_route_does_not_meet() {
        type Arguments = ((), State<App>, TargetUser, TargetGroup, Authorized);
        let write = Access::Write(Permission::UsersGroups);
        let both = "/v1/users/{username}/groups/{group}";
        let table = [
            (both, write, None),
            ("/v1/users/{username}", write, Some(Parameter("group"))),
            ("/v1/groups/{group}", write, Some(Parameter("username"))),
            (both, Access::Read(Permission::UsersGroups), Some(Write)),
        ];
        for (path, access, expected) in table {
            assert_eq!(Arguments::unmet(path, access), expected, "{path} {access:?}");
        }
        assert_eq!(Authorized::unmet(both, Access::Public), Some(Caller));
        assert_eq!(Authorized::unmet(both, Access::OwnToken), Some(Caller));
        assert_eq!(Authorized::unmet(both, Access::AnyCaller), None);
        assert_eq!(<((), Target)>::unmet("/v1/users/{username}", write), Some(CheckedUser));
        assert_eq!(<((), Target)>::unmet("/v1/users/{username}", Access::Read(Permission::UsersRead)), None);
    }
}
