//! Searching users: what is asked for, what of it Cognito looks for, and the way through its pages.
//!
//! Cognito takes one predicate, and none about custom attributes or dates. So the most selective one goes there
//! ([`Query::plan`]), and whom it brings is held against the rest here, page by page, within a budget ([`walk()`]).

mod pager;
mod plan;
mod query;
#[cfg(test)]
mod tests;

pub(crate) use pager::LARGEST_PAGE;
pub use pager::{Found, PAGE_BUDGET, Place, walk};
pub use plan::{List, Plan};
pub use query::{CustomAttribute, InvalidSearchTerm, Query, SearchTerm};
