//! User search. Cognito's filters support one predicate, and no custom attributes or dates.
//!
//! The most selective predicate therefore becomes Cognito's filter ([`Query::plan`]). The others are applied to the
//! returned pages, within a page budget ([`find_users()`]).

mod pager;
mod plan;
mod query;
#[cfg(test)]
mod tests;

pub(crate) use pager::LARGEST_PAGE;
pub use pager::{Found, PAGE_BUDGET, Position, find_users};
pub use plan::{List, Plan};
pub use query::{CustomAttribute, InvalidSearchTerm, Query, SearchTerm};
