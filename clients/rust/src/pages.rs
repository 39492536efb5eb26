//! A stream over the items of all pages of a list.

use futures::Stream;
use futures::stream::{self, TryStreamExt};

use crate::generated::types::{
    AuthEvent, AuthEvents, Device, Devices, ErrorBody, Group, GroupMembers, Groups, Job, JobResultFile, JobResults,
    Jobs, User, Users,
};
use crate::generated::{Error, ResponseValue};

/// A page of a list.
pub trait Page {
    /// The type of the list's items.
    type Item;

    /// Returns the items and the cursor of the next page. The cursor is `None` on the last page.
    fn into_parts(self) -> (Vec<Self::Item>, Option<String>);
}

macro_rules! pages {
    ($($page:ident { $items:ident: $item:ty })+) => {$(
        impl Page for $page {
            type Item = $item;

            fn into_parts(self) -> (Vec<$item>, Option<String>) {
                (self.$items, self.next_cursor)
            }
        }
    )+};
}

pages! {
    AuthEvents { events: AuthEvent }
    Devices { devices: Device }
    GroupMembers { users: User }
    Groups { groups: Group }
    Jobs { jobs: Job }
    JobResults { results: JobResultFile }
    Users { users: User }
}

/// Streams the items of all pages. `list` requests the page of a cursor, and the first page for `None`.
///
/// A page can be empty although more items follow. The stream ends after the first error.
pub fn items<P, L, F>(list: L) -> impl Stream<Item = Result<P::Item, Error<ErrorBody>>>
where
    P: Page,
    L: Fn(Option<String>) -> F,
    F: Future<Output = Result<ResponseValue<P>, Error<ErrorBody>>>,
{
    // The state is the cursor of the next request, and `None` after the last page.
    let pages = stream::try_unfold((list, Some(None)), async |(list, cursor)| {
        let Some(cursor) = cursor else { return Ok::<_, Error<ErrorBody>>(None) };
        let (items, next) = list(cursor).await?.into_inner().into_parts();
        Ok(Some((stream::iter(items.into_iter().map(Ok)), (list, next.map(Some)))))
    });
    pages.try_flatten()
}
