//! Pages of lists.

/// The request for a page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// The maximum number of entries, 1 to 60.
    pub limit: u8,
    /// [`Page::next`] of the previous page.
    pub after: Option<String>,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The entries, in Cognito's order.
    pub entries: Vec<T>,
    /// The token of the next page; `None` on the last page. An empty page can have a next page.
    pub next: Option<String>,
}
