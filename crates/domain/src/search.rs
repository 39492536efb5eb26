//! Searching users: what is asked for, what of it Cognito looks for, and the way through its pages.
//!
//! Cognito takes one predicate, and none about custom attributes or dates. So the most selective one goes there
//! ([`Query::plan`]), and whom it brings is held against the rest here, page by page, within a budget ([`walk()`]).

mod plan;
mod query;
#[cfg(test)]
mod tests;
mod walk;

pub use plan::{List, Plan};
pub use query::{CustomAttribute, NotASoughtText, Query, SoughtText};
pub(crate) use walk::LARGEST_PAGE;
pub use walk::{Found, PAGE_BUDGET, Place, walk};
